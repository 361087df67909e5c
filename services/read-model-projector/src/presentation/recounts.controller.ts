import { Controller, Get, HttpCode, Param, Post, Res, UseInterceptors } from '@nestjs/common';
import {
  ApiAcceptedResponse,
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
import { IdempotentPost } from '@sociograph/service-host';
import { Matches } from 'class-validator';
import type { Job } from '../projections/jobs';
import { RecountDesk } from '../projections/recount-desk';
import { NetworkParam } from './views.controller';

class RecountParam extends NetworkParam {
  @Matches(/^[A-Za-z0-9-]{1,64}$/, { message: 'must be the id of a recount' })
  id!: string;
}

class DifferenceAnswer {
  @ApiProperty({ description: 'A figure of the summary, a hash, or what is counted' }) what!: string;
  @ApiProperty({ description: 'As it was kept; for people and rows: how many differ' }) kept!: string;
  @ApiProperty({ description: 'As it was counted anew' }) counted!: string;
  @ApiPropertyOptional({ type: [String], description: 'Up to ten of the people concerned' }) ids?: string[];
}

class OutcomeAnswer {
  @ApiProperty({ description: 'Whether everything was as counted anew' }) equal!: boolean;
  @ApiProperty({ type: 'integer' }) users!: number;
  @ApiProperty({ type: 'integer' }) friendships!: number;
  @ApiProperty({ type: [DifferenceAnswer] }) differences!: DifferenceAnswer[];
  @ApiProperty({ type: 'integer' }) tookMs!: number;
}

class RecountAnswer {
  @ApiProperty() id!: string;
  @ApiProperty({ enum: ['waiting', 'running', 'done', 'failed'] }) state!: string;
  @ApiProperty({ format: 'date-time' }) requestedAt!: string;
  @ApiPropertyOptional({ format: 'date-time' }) finishedAt?: string;
  @ApiPropertyOptional({ description: 'When done' }) outcome?: OutcomeAnswer;
  @ApiPropertyOptional({ description: 'When failed: the code of the error' }) fault?: string;
}

interface Reply {
  header(name: string, value: string): unknown;
}

@ApiTags('views')
@Controller('v1/graphs/:network/recounts')
@Roles('operator', 'admin')
export class RecountsController {
  constructor(private readonly desk: RecountDesk) {}

  @Post()
  @HttpCode(202)
  @UseInterceptors(IdempotentPost)
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiOperation({
    summary: 'Compare the views of this graph with a full recount',
    description:
      'Carried out by the writer of the views while reads and changes go on. A difference raises an alarm; rows that ' +
      'differ are written again. While one waits or runs, asking again gives that one.',
  })
  @ApiParam({ name: 'network', example: 'vk' })
  @ApiAcceptedResponse({ type: RecountAnswer })
  async ask(
    @CurrentPrincipal() principal: Principal,
    @Param() { network }: NetworkParam,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RecountAnswer> {
    const job = await this.desk.ask(principal.workspaceId, network, principal.subject);
    reply.header('location', `/v1/graphs/${network}/recounts/${job.id}`);
    return recountAnswer(job);
  }

  @Get(':id')
  @ApiOperation({ summary: 'How far a recount is, and what came of it' })
  @ApiParam({ name: 'network', example: 'vk' })
  @ApiParam({ name: 'id' })
  @ApiOkResponse({ type: RecountAnswer })
  async find(
    @CurrentPrincipal() principal: Principal,
    @Param() { network, id }: RecountParam,
  ): Promise<RecountAnswer> {
    return recountAnswer(await this.desk.find(principal.workspaceId, network, id));
  }
}

function recountAnswer({ id, state, requestedAt, finishedAt, recounts, fault }: Job): RecountAnswer {
  const outcome = recounts?.[0];
  return {
    id,
    state,
    requestedAt: new Date(requestedAt).toISOString(),
    ...(finishedAt !== undefined && { finishedAt: new Date(finishedAt).toISOString() }),
    ...(outcome !== undefined && {
      outcome: {
        equal: outcome.differences.length === 0,
        users: outcome.users,
        friendships: outcome.friendships,
        differences: outcome.differences.map(({ kept, counted, ...difference }) => ({
          ...difference,
          kept: String(kept),
          counted: String(counted),
        })),
        tookMs: Math.round(outcome.tookMs),
      },
    }),
    ...(fault !== undefined && { fault }),
  };
}
