import { Controller, Delete, Get, HttpCode, Param, Post, Query, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { currentCorrelationId } from '@sociograph/observability';
import { IdParam } from '@sociograph/service-host';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { UsageDesk } from '../application/describe-usage';
import { KeyTender, type TendKey } from '../application/tend-key';
import type { KeyForecast } from '../domain/forecast';
import type { KeyRest } from '../domain/key-rests';
import type { Reply } from './key-views';
import { EndedView, LeasesView, RestsView, UsageView } from './pool-views';
import { RefusalAudit } from './refusal-audit';

const REST_KINDS = ['key', 'method', 'egress', 'circuit'] as const;

class RestsQuery {
  @ApiPropertyOptional({ enum: REST_KINDS })
  @IsOptional()
  @IsIn([...REST_KINDS], { message: `must be one of ${REST_KINDS.join(', ')}` })
  kind?: KeyRest['kind'];

  @ApiPropertyOptional({ description: 'Of the method or the address', maxLength: 64 })
  @IsOptional()
  @Matches(/^[A-Za-z0-9._-]{1,64}$/, { message: 'must be the name of a method or an address' })
  name?: string;
}

export class ProbeView {
  @ApiProperty({ type: 'integer', description: 'Rests that ended: their next call is the trial' })
  ended!: number;
  @ApiProperty({ example: '/v1/keys/01930f0e-7b1c-7000-8000-00000000000a/rests' }) watch!: string;
}

/** What the pool's memory knows of a key. */
@ApiTags('keys')
@Controller('v1/keys/:id')
@Roles('admin', 'operator')
@UseFilters(RefusalAudit)
export class KeyPoolController {
  constructor(
    private readonly tender: KeyTender,
    private readonly usageDesk: UsageDesk,
  ) {}

  @Get('usage')
  @Roles('admin', 'operator', 'analyst', 'viewer')
  @ApiOperation({
    summary: 'What it used of its limits and by which methods, and when they are spent at this pace',
  })
  @ApiResponse({ status: 200, type: UsageView })
  async usage(@Param() { id }: IdParam, @CurrentPrincipal() principal: Principal): Promise<UsageView> {
    const { key, limits, methods } = await this.usageDesk.describe(principal.workspaceId, id);
    const { lastUsedAt } = key.details;
    return {
      perSecond: key.details.limits.perSecond,
      lastUsedAt,
      limits: limits.map((limit) => ({ ...limit, forecast: sentenceOf(limit) })),
      methods: methods.map(({ limit, ...use }) => ({
        ...use,
        limit: limit?.calls ?? null,
        left: limit?.left ?? null,
        spentAt: limit?.spentAt ?? null,
        forecast: limit === undefined ? null : sentenceOf(limit),
      })),
    };
  }

  @Get('leases')
  @Roles('admin', 'operator', 'analyst')
  @ApiOperation({ summary: 'Its open leases, with who holds them' })
  @ApiResponse({ status: 200, type: LeasesView })
  async leases(@Param() { id }: IdParam, @CurrentPrincipal() principal: Principal): Promise<LeasesView> {
    return { items: await this.tender.leases(principal.workspaceId, id) };
  }

  @Get('rests')
  @Roles('admin', 'operator', 'analyst', 'viewer')
  @ApiOperation({ summary: 'What of it rests: the key, methods, addresses, its circuit' })
  @ApiResponse({ status: 200, type: RestsView })
  async rests(@Param() { id }: IdParam, @CurrentPrincipal() principal: Principal): Promise<RestsView> {
    return { items: await this.tender.rests(principal.workspaceId, id) };
  }

  @Delete('rests')
  @ApiOperation({ summary: 'End rests before their time; all of them unless told which' })
  @ApiResponse({ status: 200, type: EndedView })
  async endRests(
    @Param() { id }: IdParam,
    @Query() { kind, name }: RestsQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<EndedView> {
    const which = { ...(kind !== undefined && { kind }), ...(name !== undefined && { name }) };
    return { ended: await this.tender.endRests({ ...commandOf(id, principal), which }) };
  }

  @Post('probe')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Probe it now',
    description:
      'Ends its rests, so that the next call that a worker has for it is the trial. The pool itself calls no ' +
      'network: without work for such a key nothing happens until there is some.',
  })
  @ApiResponse({
    status: 202,
    type: ProbeView,
    headers: { Location: { $ref: '#/components/headers/Location' } },
  })
  async probe(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ProbeView> {
    const ended = await this.tender.probe(commandOf(id, principal));
    const watch = `/v1/keys/${id}/rests`;
    reply.header('location', watch);
    return { ended, watch };
  }
}

function commandOf(keyId: string, principal: Principal): TendKey {
  return {
    workspaceId: principal.workspaceId,
    keyId,
    actor: { kind: 'person', id: principal.subject },
    correlationId: currentCorrelationId(),
  };
}

/** `at this pace wall.get is spent at 2026-11-21T16:40:00Z`. */
function sentenceOf({ limit, left, spentAt }: KeyForecast): string {
  const what = limit.startsWith('day:') ? limit.slice('day:'.length) : `the limit of a ${limit}`;
  if (left === 0) return `${what} is spent`;
  if (spentAt === null) return `at this pace ${what} lasts`;
  return `at this pace ${what} is spent at ${new Date(spentAt).toISOString().replace(/\.\d+Z$/, 'Z')}`;
}
