import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, type Quota, QUOTAS, Roles } from '@sociograph/auth';
import { Clock, DomainError, isWorkspaceId } from '@sociograph/kernel';
import { IsObject, Matches } from 'class-validator';
import { type QuotaLine, Quotas } from '../application/describe-quotas';
import { actOf } from './bodies';

export class QuotaView {
  @ApiProperty({ enum: QUOTAS }) quota!: Quota;
  @ApiProperty({ type: 'integer' }) limit!: number;
  @ApiPropertyOptional({
    type: 'integer',
    description: 'As the service that enforces it counted, at most 10 s ago; absent while that is not known',
  })
  use?: number;
}

export class QuotasView {
  @ApiProperty({ type: [QuotaView] }) items!: QuotaView[];
}

export class LimitsBody {
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 0 },
    description: `Limits by name (${QUOTAS.join(', ')}); what is not named stays`,
    example: { keys: 20 },
  })
  @IsObject({ message: 'must be an object of quotas and limits' })
  limits!: Record<string, unknown>;
}

export class WorkspaceParam {
  @ApiProperty({ example: 'w-0199a1c27b1c70008000000000000001' })
  @Matches(/^[a-z0-9][a-z0-9-]{0,62}$/, { message: 'must be the id of a workspace' })
  id!: string;
}

@ApiTags('workspace')
@Controller('v1')
export class QuotasController {
  constructor(
    private readonly quotas: Quotas,
    private readonly clock: Clock,
  ) {}

  @Get('workspace/quotas')
  @Roles('viewer', 'analyst', 'operator', 'admin')
  @ApiOperation({ summary: 'Limits of your workspace, and how much of them is used' })
  @ApiResponse({ status: 200, type: QuotasView })
  async read(@CurrentPrincipal() { workspaceId }: Principal): Promise<QuotasView> {
    return { items: (await this.quotas.describe(workspaceId)).map(viewOf) };
  }

  @Put('workspaces/:id/quotas')
  @Roles('platform-operator')
  @ApiOperation({ summary: 'Set limits of a workspace; they hold within 2 s' })
  @ApiResponse({ status: 200, type: QuotasView })
  async set(
    @Param() { id }: WorkspaceParam,
    @Body() { limits }: LimitsBody,
    @CurrentPrincipal() principal: Principal,
  ): Promise<QuotasView> {
    if (!isWorkspaceId(id)) throw invalid('id', 'must be the id of a workspace');
    const act = actOf(principal, 'quotas.set');
    await this.quotas.set(id, checked(limits), this.clock.nowMs(), act);
    return { items: (await this.quotas.describe(id)).map(viewOf) };
  }
}

function viewOf({ quota, limit, use }: QuotaLine): QuotaView {
  return { quota, limit, ...(use !== undefined && { use }) };
}

function checked(limits: Record<string, unknown>): Partial<Record<Quota, number>> {
  const known: Partial<Record<Quota, number>> = {};
  for (const [name, limit] of Object.entries(limits)) {
    const quota = QUOTAS.find((each) => each === name);
    if (quota === undefined) throw invalid(`limits.${name.slice(0, 40)}`, 'is no quota');
    if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0)
      throw invalid(`limits.${name}`, 'must be a whole number that is not negative');
    known[quota] = limit;
  }
  return known;
}

function invalid(field: string, message: string): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: `The request has faults: ${field}.`,
    fields: [{ field, message }],
  });
}
