import { Controller, Delete, Get, HttpCode, Param, Query, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { DomainError } from '@sociograph/kernel';
import { currentCorrelationId } from '@sociograph/observability';
import { LimitQuery } from '@sociograph/service-host';
import { IsIn, IsOptional, IsUUID, Matches } from 'class-validator';
import { ChoiceExplainer } from '../application/explain-choice';
import { PathKeeper } from '../application/keep-learned-paths';
import { askPool } from '../application/ask-pool';
import { KeyTender } from '../application/tend-key';
import { networkUnknown } from '../domain/errors';
import { NETWORK_NAMES } from '../domain/networks';
import { AuditTrail } from '../domain/audit';
import { ExplainView, MarginsView } from './pool-views';
import { RefusalAudit } from './refusal-audit';

const METHODS = /^[A-Za-z][A-Za-z0-9.]{0,63}(:\d{1,4})?(,[A-Za-z][A-Za-z0-9.]{0,63}(:\d{1,4})?){0,9}$/;

class ExplainQuery extends LimitQuery {
  @ApiProperty({ enum: NETWORK_NAMES })
  @IsIn([...NETWORK_NAMES], { message: `must be one of ${NETWORK_NAMES.join(', ')}` })
  network!: string;

  @ApiProperty({
    example: 'friends.get:25',
    description: 'Methods of the call with how often: execute packs 25',
  })
  @Matches(METHODS, { message: 'must be up to 10 methods, each with a figure: friends.get:25,users.get' })
  methods!: string;

  @ApiPropertyOptional({ default: 'default' })
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9.-]{0,63}$/, { message: 'must be lower-case letters, digits, dots and hyphens' })
  egress: string = 'default';

  @ApiPropertyOptional({ format: 'uuid', description: 'Only this key' })
  @IsOptional()
  @IsUUID(undefined, { message: 'must be a UUID' })
  keyId?: string;
}

class LeaseParam {
  @ApiProperty({ maxLength: 64 })
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'must be the id of a lease' })
  leaseId!: string;
}

class NetworkParam {
  @ApiProperty({ example: 'vk', maxLength: 32 })
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, { message: 'must be the name of a network' })
  network!: string;
}

/** The pool itself: why a key is chosen, stuck leases, what was learned of networks. */
@ApiTags('pool')
@Controller('v1/pool')
@Roles('admin', 'operator')
@UseFilters(RefusalAudit)
export class PoolController {
  constructor(
    private readonly explainer: ChoiceExplainer,
    private readonly tender: KeyTender,
    private readonly paths: PathKeeper,
    private readonly audit: AuditTrail,
  ) {}

  @Get('explain')
  @Roles('admin', 'operator', 'analyst', 'viewer')
  @ApiOperation({
    summary: 'Why a key would be chosen for such a call, or why none is free; charges nothing',
  })
  @ApiResponse({ status: 200, type: ExplainView })
  async explain(
    @Query() query: ExplainQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ExplainView> {
    const { methods, ...asked } = query;
    return this.explainer.explain({
      ...asked,
      workspaceId: principal.workspaceId,
      methods: methodsOf(methods),
    });
  }

  @Delete('leases/:leaseId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Release a stuck lease: it ends, its slots stay charged' })
  @ApiResponse({ status: 204 })
  async release(@Param() { leaseId }: LeaseParam, @CurrentPrincipal() principal: Principal): Promise<void> {
    await this.tender.release({
      workspaceId: principal.workspaceId,
      leaseId,
      actor: { kind: 'person', id: principal.subject },
      correlationId: currentCorrelationId(),
    });
  }

  @Get('margins')
  @Roles('admin', 'operator', 'analyst', 'viewer', 'platform-operator')
  @ApiOperation({ summary: 'What was learned of the paths to networks' })
  @ApiResponse({ status: 200, type: MarginsView })
  async margins(): Promise<MarginsView> {
    const known = await askPool(() => this.paths.all());
    return { items: known.map(({ network, path }) => ({ network, ...path })) };
  }

  @Delete('margins/:network')
  @HttpCode(204)
  @Roles('platform-operator')
  @ApiOperation({
    summary: 'Forget what was learned of a network; the declared margin holds until it is learned anew',
  })
  @ApiResponse({ status: 204 })
  async reset(@Param() { network }: NetworkParam, @CurrentPrincipal() principal: Principal): Promise<void> {
    if (!(await askPool(() => this.paths.reset(network)))) throw networkUnknown();
    await this.audit.done({
      workspaceId: undefined,
      actor: { kind: 'person', id: principal.subject },
      action: 'margin.reset',
      target: `network/${network}`,
      correlationId: currentCorrelationId(),
    });
  }
}

/** `friends.get:25,users.get` */
function methodsOf(text: string): Record<string, number> {
  const methods: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [name = '', count = '1'] = part.split(':');
    if (methods[name] !== undefined || Number(count) < 1) {
      const message = 'must name each method once, with a figure above 0';
      throw new DomainError({
        code: 'REQUEST.INVALID',
        kind: 'invalid-input',
        message: `The methods ${message}.`,
        fields: [{ field: 'methods', message }],
      });
    }
    methods[name] = Number(count);
  }
  return methods;
}
