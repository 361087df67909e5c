import { Controller, Get, Param, Query, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { decodeCursor, encodeCursor, IdParam, type Page, PageQuery } from '@sociograph/service-host';
import { z } from 'zod';
import { ApiKeys } from '../domain/api-keys';
import { HistoryPage, HistoryView } from './key-views';
import { RefusalAudit } from './refusal-audit';

const place = z.object({ before: z.number().int().positive() });

@ApiTags('keys')
@Controller('v1/keys/:id/history')
@Roles('admin', 'operator', 'analyst')
@UseFilters(RefusalAudit)
export class KeyHistoryController {
  constructor(private readonly keys: ApiKeys) {}

  @Get()
  @ApiOperation({ summary: 'Every change of a key, newest first; of deleted keys too' })
  @ApiResponse({ status: 200, type: HistoryPage })
  async list(
    @Param() { id }: IdParam,
    @Query() { limit, cursor }: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Page<HistoryView>> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, place).before;
    const found = await this.keys.history(principal.workspaceId, id, { limit: limit + 1, before });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor({ before: last.version }) : null;
    return { items, next };
  }
}
