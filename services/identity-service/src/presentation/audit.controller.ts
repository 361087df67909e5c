import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiResponse, ApiTags } from '@nestjs/swagger';
import { actionAudited } from '@sociograph/contracts';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { decodeCursor, encodeCursor, type Page, PageQuery } from '@sociograph/service-host';
import { IsOptional, Matches } from 'class-validator';
import { z } from 'zod';
import { AuditLog } from '../application/seal-audit';

const place = z.object({ before: z.number().int().positive() });

export class AuditQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Of this workspace only; for the operators of the platform' })
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9-]{0,62}$/, { message: 'must be the id of a workspace' })
  workspace?: string;
}

class AuditActorView {
  @ApiProperty({ enum: ['person', 'service'] }) kind!: 'person' | 'service';
  @ApiProperty() id!: string;
}

export class AuditView {
  @ApiProperty() auditId!: string;
  @ApiProperty() workspaceId!: string;
  @ApiProperty({ type: AuditActorView }) actor!: AuditActorView;
  @ApiProperty({ example: 'import.create' }) action!: string;
  @ApiProperty({ example: 'import/0199a1c2-7b1c-7000-8000-000000000001' }) target!: string;
  @ApiProperty({ type: 'integer' }) at!: number;
  @ApiPropertyOptional({ type: String }) peer?: string | undefined;
  @ApiPropertyOptional({ type: String }) correlationId?: string | undefined;
  @ApiProperty({ enum: ['done', 'refused', 'failed'] }) result!: 'done' | 'refused' | 'failed';
  @ApiPropertyOptional({ type: String }) reason?: string | undefined;
}

export class AuditPage {
  @ApiProperty({ type: [AuditView] }) items!: AuditView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

@ApiTags('audit')
@Controller('v1/audit')
@Roles('admin', 'platform-operator')
export class AuditController {
  constructor(private readonly trail: AuditLog) {}

  @Get()
  @ApiOperation({ summary: 'Who did what, newest first: admins see their workspace, platform-operators all' })
  @ApiResponse({ status: 200, type: AuditPage })
  async list(
    @Query() { limit, cursor, workspace }: AuditQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Page<AuditView>> {
    const everything = principal.roles.includes('platform-operator');
    const before = cursor === undefined ? undefined : decodeCursor(cursor, place).before;
    const found = await this.trail.page(everything ? undefined : principal.workspaceId, limit + 1, {
      before,
      only: workspace,
    });
    const entries = found.slice(0, limit);
    const last = entries.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor({ before: last.id }) : null;
    return { items: entries.map(({ entry }) => actionAudited.schema.parse(entry)), next };
  }
}
