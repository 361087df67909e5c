import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseInterceptors } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import type { Principal } from '@sociograph/auth';
import { CurrentPrincipal, Roles } from '@sociograph/auth';
import { decodeCursor, encodeCursor, IdempotentPost, PageQuery } from '@sociograph/service-host';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { z } from 'zod';
import { type Analysis, ANALYSIS_KINDS, type AnalysisKind } from '../projections/analyses/analysis';
import { AnalysisDesk } from '../projections/analyses/analysis-desk';
import { NetworkParam } from './views.controller';

class AnalysisBody {
  @ApiProperty({ enum: ANALYSIS_KINDS })
  @IsIn(ANALYSIS_KINDS, { message: `must be one of ${ANALYSIS_KINDS.join(', ')}` })
  kind!: AnalysisKind;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: 2147483647, default: 1 })
  @IsOptional()
  @IsInt({ message: 'must be a whole number' })
  @Min(0, { message: 'must be at least 0' })
  @Max(2147483647, { message: 'must be at most 2147483647' })
  seed?: number;
}

class AnalysisParam extends NetworkParam {
  @Matches(/^[A-Za-z0-9-]{1,64}$/, { message: 'must be the id of an analysis' })
  id!: string;
}

class CommunityParam extends AnalysisParam {
  @Type(() => Number)
  @IsInt({ message: 'must be the number of a community' })
  @Min(1, { message: 'must be at least 1' })
  @Max(4294967295, { message: 'must be the number of a community' })
  number!: number;
}

class AnalysisAnswer {
  @ApiProperty() id!: string;
  @ApiProperty({ enum: ANALYSIS_KINDS }) kind!: string;
  @ApiProperty({ type: 'integer' }) seed!: number;
  @ApiProperty({ enum: ['waiting', 'running', 'done', 'failed', 'cancelled'] }) state!: string;
  @ApiProperty({ minimum: 0, maximum: 1 }) progress!: number;
  @ApiProperty({ format: 'date-time' }) requestedAt!: string;
  @ApiPropertyOptional({ format: 'date-time' }) finishedAt?: string;
  @ApiPropertyOptional({ description: 'When done: positions that were in the graph' }) appliedUpTo?: string;
  @ApiPropertyOptional({ type: 'integer' }) people?: number;
  @ApiPropertyOptional({ type: 'integer' }) friendships?: number;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'communities, modularity and levels; or degeneracy; or rounds',
  })
  figures?: Record<string, number>;
  @ApiPropertyOptional({ description: 'When failed: the code of the error' }) fault?: string;
}

class ResultEntryAnswer {
  @ApiPropertyOptional({ description: 'Of k-core and page-rank: the person' }) id?: string;
  @ApiPropertyOptional({ type: 'integer' }) core?: number;
  @ApiPropertyOptional() score?: number;
  @ApiPropertyOptional({ type: 'integer', description: '1 is the largest' }) community?: number;
  @ApiPropertyOptional({ type: 'integer', description: 'Its members' }) size?: number;
}

class ResultAnswer {
  @ApiProperty({ type: [ResultEntryAnswer] }) items!: ResultEntryAnswer[];
  @ApiProperty({ type: 'string', nullable: true }) next!: string | null;
  @ApiProperty({ description: 'Positions that were in the graph' }) appliedUpTo!: string;
}

class MemberAnswer {
  @ApiProperty() id!: string;
}

class MembersAnswer {
  @ApiProperty({ type: [MemberAnswer] }) items!: MemberAnswer[];
  @ApiProperty({ type: 'integer' }) size!: number;
  @ApiProperty({ type: 'string', nullable: true }) next!: string | null;
}

interface Reply {
  header(name: string, value: string): unknown;
}

const place = z.object({ from: z.number().int().min(1).max(4294967295) });
const READERS = ['viewer', 'analyst', 'operator', 'admin'] as const;

@ApiTags('analyses')
@ApiParam({ name: 'network', example: 'vk' })
@Controller('v1/graphs/:network/jobs')
export class AnalysesController {
  constructor(private readonly desk: AnalysisDesk) {}

  @Post()
  @HttpCode(202)
  @UseInterceptors(IdempotentPost)
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @Roles('analyst', 'operator', 'admin')
  @ApiOperation({
    summary: 'Look for communities (Louvain), core numbers or PageRank in the whole graph',
    description:
      'Done by the writer of the views in a thread of its own while reads and changes go on. One at a time in a ' +
      'workspace: 409 while another waits or runs. The same graph, kind and seed give the same result; it is kept for ' +
      'seven days, or until somebody in the graph is erased.',
  })
  @ApiAcceptedResponse({ type: AnalysisAnswer })
  async ask(
    @CurrentPrincipal() principal: Principal,
    @Param() { network }: NetworkParam,
    @Body() { kind, seed = 1 }: AnalysisBody,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AnalysisAnswer> {
    const { workspaceId, subject } = principal;
    const analysis = await this.desk.ask(workspaceId, network, { kind, seed }, subject);
    reply.header('location', `/v1/graphs/${network}/jobs/${analysis.id}`);
    return analysisAnswer(analysis);
  }

  @Get(':id')
  @Roles(...READERS)
  @ApiOperation({ summary: 'How far an analysis is, and its figures' })
  @ApiParam({ name: 'id' })
  @ApiOkResponse({ type: AnalysisAnswer })
  async find(
    @CurrentPrincipal() principal: Principal,
    @Param() { network, id }: AnalysisParam,
  ): Promise<AnalysisAnswer> {
    return analysisAnswer(await this.desk.find(principal.workspaceId, network, id));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Roles('analyst', 'operator', 'admin')
  @ApiOperation({ summary: 'End an analysis that waits or runs' })
  @ApiParam({ name: 'id' })
  @ApiOkResponse({ type: AnalysisAnswer })
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param() { network, id }: AnalysisParam,
  ): Promise<AnalysisAnswer> {
    const { workspaceId, subject } = principal;
    return analysisAnswer(await this.desk.cancel(workspaceId, network, id, subject));
  }

  @Get(':id/result')
  @Roles(...READERS)
  @ApiOperation({
    summary: 'What an analysis found',
    description:
      'Communities, largest first; or everybody with core number or score, highest first, then by id. 409 until it is done.',
  })
  @ApiParam({ name: 'id' })
  @ApiOkResponse({ type: ResultAnswer })
  @ApiConflictResponse()
  async result(
    @CurrentPrincipal() principal: Principal,
    @Param() { network, id }: AnalysisParam,
    @Query() query: PageQuery,
  ): Promise<ResultAnswer> {
    const done = await this.desk.done(principal.workspaceId, network, id);
    const from = fromOf(query);
    const items = await this.entries(done, from, query.limit);
    const total = done.kind === 'communities' ? done.figures?.['communities'] : done.people;
    return { items, next: nextOf(from + items.length, total ?? 0), appliedUpTo: done.appliedUpTo ?? '' };
  }

  @Get(':id/communities/:number/members')
  @Roles(...READERS)
  @ApiOperation({ summary: 'Members of one community, by id' })
  @ApiParam({ name: 'id' })
  @ApiParam({ name: 'number', schema: { type: 'integer', minimum: 1 } })
  @ApiOkResponse({ type: MembersAnswer })
  @ApiConflictResponse()
  async members(
    @CurrentPrincipal() principal: Principal,
    @Param() { network, id, number }: CommunityParam,
    @Query() query: PageQuery,
  ): Promise<MembersAnswer> {
    const done = await this.desk.done(principal.workspaceId, network, id);
    const from = fromOf(query);
    const { ids, size } = await this.desk.members(done, number, from, query.limit);
    return { items: ids.map((member) => ({ id: member })), size, next: nextOf(from + ids.length, size) };
  }

  private async entries(done: Analysis, from: number, limit: number): Promise<ResultEntryAnswer[]> {
    if (done.kind === 'communities') {
      const found = await this.desk.communities(done, from, limit);
      return found.map(([, size], at) => ({ community: from + at + 1, size }));
    }
    const found = await this.desk.people(done, from, limit);
    return found.map(([id, value]) => (done.kind === 'k-core' ? { id, core: value } : { id, score: value }));
  }
}

function fromOf({ cursor }: PageQuery): number {
  return cursor === undefined ? 0 : decodeCursor(cursor, place).from;
}

function nextOf(end: number, total: number): string | null {
  return end > 0 && end < total ? encodeCursor({ from: end }) : null;
}

function analysisAnswer(analysis: Analysis): AnalysisAnswer {
  const { id, kind, seed, state, progress, requestedAt, finishedAt } = analysis;
  const { appliedUpTo, people, friendships, figures, fault } = analysis;
  return {
    id,
    kind,
    seed,
    state,
    progress,
    requestedAt: new Date(requestedAt).toISOString(),
    ...(finishedAt !== undefined && { finishedAt: new Date(finishedAt).toISOString() }),
    ...(appliedUpTo !== undefined && { appliedUpTo }),
    ...(people !== undefined && { people }),
    ...(friendships !== undefined && { friendships }),
    ...(figures !== undefined && { figures }),
    ...(fault !== undefined && { fault }),
  };
}
