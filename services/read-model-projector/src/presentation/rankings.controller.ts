import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiProperty, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Principal } from '@sociograph/auth';
import { CurrentPrincipal, Roles } from '@sociograph/auth';
import { decodeCursor, encodeCursor, PageQuery } from '@sociograph/service-host';
import { IsIn, IsOptional, MaxLength } from 'class-validator';
import { z } from 'zod';
import { localClustering } from '../projections/graph-summary';
import { RANKED_BY, type RankedBy } from '../projections/rankings';
import { ReadViews } from '../projections/read-views';
import { FreshnessAnswer, freshnessAnswer, MIN_POSITION, NetworkParam } from './views.controller';

class RankingParam extends NetworkParam {
  @IsIn(RANKED_BY, { message: `must be one of ${RANKED_BY.join(', ')}` })
  by!: RankedBy;
}

class RankingQuery extends PageQuery {
  @IsOptional()
  @MaxLength(8192, { message: 'is not a position token' })
  'min-position'?: string;
}

class RankedAnswer {
  @ApiProperty({ type: 'integer', minimum: 1 }) rank!: number;
  @ApiProperty() id!: string;
  @ApiProperty({ type: 'string', nullable: true, description: 'First and last name' }) name!: string | null;
  @ApiProperty({ type: 'integer' }) degree!: number;
  @ApiProperty({ type: 'integer' }) triangles!: number;
  @ApiProperty() localClustering!: number;
}

class RankingAnswer {
  @ApiProperty({ type: [RankedAnswer] }) items!: RankedAnswer[];
  @ApiProperty({ type: 'integer', description: 'People in this ranking, a thousand at most' }) total!: number;
  @ApiProperty({ type: 'string', nullable: true }) next!: string | null;
  @ApiProperty() freshness!: FreshnessAnswer;
}

const place = z.object({ from: z.number().int().min(1).max(100_000) });

@ApiTags('views')
@Controller('v1/graphs/:network/rankings')
@Roles('viewer', 'analyst', 'operator', 'admin')
export class RankingsController {
  constructor(private readonly views: ReadViews) {}

  @Get(':by')
  @ApiOperation({
    summary: 'The first thousand people of a graph by one figure',
    description:
      'Exact as of the freshness. Those whose figure is 0 are in none. Ties: in clustering the higher degree is first, ' +
      'then and elsewhere the shorter id, then the lower one. Pages of one ranking that changes meanwhile may repeat ' +
      'or miss people who changed places.',
  })
  @ApiParam({ name: 'network', example: 'vk' })
  @ApiParam({ name: 'by', enum: RANKED_BY })
  @ApiQuery(MIN_POSITION)
  @ApiOkResponse({ type: RankingAnswer })
  async ranking(
    @CurrentPrincipal() principal: Principal,
    @Param() { network, by }: RankingParam,
    @Query() query: RankingQuery,
  ): Promise<RankingAnswer> {
    const { limit, cursor } = query;
    const from = cursor === undefined ? 0 : decodeCursor(cursor, place).from;
    const minPosition = query['min-position'];
    const { row, freshness } = await this.views.ranking(principal.workspaceId, network, by, {
      from,
      limit,
      minPosition,
    });
    const end = from + row.people.length;
    return {
      items: row.people.map(({ rank, figures: [id, degree, triangles], row: person }) => ({
        rank,
        id,
        name: person === undefined ? null : `${person.profile.firstName} ${person.profile.lastName}`,
        degree,
        triangles,
        localClustering: localClustering(degree, triangles),
      })),
      total: row.total,
      next: row.people.length > 0 && end < row.total ? encodeCursor({ from: end }) : null,
      freshness: freshnessAnswer(freshness),
    };
  }
}
