import { Controller, Get, Param, Query } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProperty,
  ApiPropertyOptional,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { Principal } from '@sociograph/auth';
import { CurrentPrincipal, Roles } from '@sociograph/auth';
import { decodeCursor, encodeCursor, PageQuery } from '@sociograph/service-host';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { z } from 'zod';
import type { Found } from '../projections/search-views';
import { SearchViews } from '../projections/search-views';
import {
  FreshnessAnswer,
  freshnessAnswer,
  MIN_POSITION,
  NetworkParam,
  PostAnswer,
  postAnswer,
} from './views.controller';

const KINDS = ['people', 'posts'] as const;

class SearchQuery extends PageQuery {
  @IsString({ message: 'must be a text' })
  @MaxLength(200, { message: 'must be at most 200 characters' })
  @ApiProperty({ example: 'вер орл', maxLength: 200 })
  q!: string;

  @IsOptional()
  @IsIn(KINDS, { message: 'must be people or posts' })
  @ApiPropertyOptional({ enum: KINDS, default: 'people' })
  in?: (typeof KINDS)[number];

  @IsOptional()
  @MaxLength(8192, { message: 'is not a position token' })
  'min-position'?: string;
}

class PieceAnswer {
  @ApiProperty() text!: string;
  @ApiProperty({ description: 'Whether the query found this piece' }) match!: boolean;
}

class FoundPersonAnswer {
  @ApiProperty() id!: string;
  @ApiProperty({ enum: ['active', 'deleted', 'banned'] }) state!: string;
  @ApiProperty({ type: [PieceAnswer], description: 'First and last name in pieces' }) name!: PieceAnswer[];
  @ApiPropertyOptional({ type: [PieceAnswer] }) screenName?: PieceAnswer[];
  @ApiProperty({ type: 'integer' }) degree!: number;
}

class FoundPostAnswer extends PostAnswer {
  @ApiProperty({ enum: ['user', 'group'] }) ownerKind!: string;
  @ApiProperty() ownerId!: string;
  @ApiProperty({ type: [PieceAnswer], description: 'About 240 characters around the first match' })
  snippet!: PieceAnswer[];
}

class FoundAnswer {
  @ApiPropertyOptional({ type: FoundPersonAnswer }) person?: FoundPersonAnswer;
  @ApiPropertyOptional({ type: FoundPostAnswer }) post?: FoundPostAnswer;
}

class SearchAnswer {
  @ApiProperty({ type: [FoundAnswer] }) items!: FoundAnswer[];
  @ApiProperty({ type: 'string', nullable: true }) next!: string | null;
  @ApiProperty() freshness!: FreshnessAnswer;
}

const place = z.object({ at: z.number().int(), key: z.string().max(300) });

@ApiTags('views')
@Controller('v1/graphs/:network/search')
@Roles('viewer', 'analyst', 'operator', 'admin')
export class SearchController {
  constructor(private readonly views: SearchViews) {}

  @Get()
  @ApiOperation({
    summary: 'Search people by name, or posts by their words',
    description:
      'Every word of `q` must begin a word of what is found, whatever the case and diacritics (ё is е); a single letter ' +
      'must be a whole word. People in the order of their ids as texts, posts newest first.',
  })
  @ApiParam({ name: 'network', example: 'vk' })
  @ApiQuery(MIN_POSITION)
  @ApiOkResponse({ type: SearchAnswer })
  async search(
    @CurrentPrincipal() principal: Principal,
    @Param() { network }: NetworkParam,
    @Query() query: SearchQuery,
  ): Promise<SearchAnswer> {
    const { q, limit, cursor } = query;
    const { row, freshness } = await this.views.search(principal.workspaceId, network, {
      kind: query.in === 'posts' ? 'post' : 'user',
      query: q,
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, place),
      minPosition: query['min-position'],
    });
    return {
      items: row.items.map(foundAnswer),
      next: row.next === undefined ? null : encodeCursor(row.next),
      freshness: freshnessAnswer(freshness),
    };
  }
}

function foundAnswer(found: Found): FoundAnswer {
  if (found.kind === 'post') {
    const { ownerKind, ownerId } = found.row.content;
    return { post: { ...postAnswer(found.row), ownerKind, ownerId, snippet: found.text } };
  }
  const { id, state, degree } = found.row;
  const { name, screenName } = found;
  return { person: { id, state, name, ...(screenName !== undefined && { screenName }), degree } };
}
