import { Controller, Get, Param, Query, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { encodeCursor } from '@sociograph/service-host';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Matches, Min } from 'class-validator';
import { DrawSurroundings, SURROUNDINGS_LIMITS } from '../application/draw-surroundings';
import { FindMutualFriends, MUTUAL_LIMITS } from '../application/find-mutual-friends';
import { FindPath, PATH_LIMITS } from '../application/find-path';
import { FreshAnswer, FreshReads, PositionPageQuery, PositionQuery } from './fresh-reads';
import { IsMoment } from './moment';
import { EVERY_READER, PersonParams, placeOf } from './query-shapes';

const WHOLE = { message: 'must be a whole number' };
const POSITIVE = { message: 'must be at least 1' };

class MutualQuery extends PositionPageQuery {
  @ApiProperty({
    description: `The others, by id, joined by commas; at most ${MUTUAL_LIMITS.with}, more is answered 422`,
    example: '58,1684',
  })
  @Matches(/^[A-Za-z0-9_-]{1,64}(,[A-Za-z0-9_-]{1,64}){0,99}$/, { message: 'must be ids joined by commas' })
  with!: string;
}

class PathQuery extends PositionQuery {
  @ApiProperty({ example: '1684' })
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'must be the id of a person at the network' })
  to!: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    default: 6,
    description: `Friendships on the way; above ${PATH_LIMITS.length} is answered 422`,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt(WHOLE)
  @Min(1, POSITIVE)
  maxLength: number = 6;
}

class SurroundingsQuery extends PositionQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    default: 1,
    description: `Steps from the person; above ${SURROUNDINGS_LIMITS.depth} is answered 422`,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt(WHOLE)
  @Min(1, POSITIVE)
  depth: number = 1;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    default: 200,
    description: `People, the one asked about included; above ${SURROUNDINGS_LIMITS.nodes} is answered 422`,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt(WHOLE)
  @Min(1, POSITIVE)
  nodes: number = 200;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'As the friendships were known at that moment. A date alone is its midnight, UTC',
  })
  @IsOptional()
  @IsMoment()
  at?: string;
}

class MutualFriendAnswer {
  @ApiProperty()
  id!: string;
}

class MutualFriendsPage extends FreshAnswer {
  @ApiProperty({ type: [MutualFriendAnswer], description: 'By id: shorter ones first' })
  items!: MutualFriendAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

class PathPersonAnswer {
  @ApiProperty()
  id!: string;
  @ApiPropertyOptional({ description: 'Absent while only lists of others name this person' })
  name?: string;
}

class PathAnswer extends FreshAnswer {
  @ApiProperty({ description: 'False: there is no way of at most `maxLength` friendships' })
  found!: boolean;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Friendships on the way; 0 to oneself' })
  length!: number | null;
  @ApiProperty({ type: [PathPersonAnswer], description: 'Both ends included; empty when none was found' })
  people!: PathPersonAnswer[];
}

class NodeAnswer extends PathPersonAnswer {
  @ApiProperty({ type: 'integer', description: 'Steps from the person asked about' })
  distance!: number;
}

class LinkAnswer {
  @ApiProperty()
  from!: string;
  @ApiProperty()
  to!: string;
}

class SurroundingsAnswer extends FreshAnswer {
  @ApiProperty({
    type: [NodeAnswer],
    description: 'Nearest first, within a distance by id: shorter ones first',
  })
  people!: NodeAnswer[];
  @ApiProperty({ type: [LinkAnswer], description: 'Friendships among them, each once' })
  friendships!: LinkAnswer[];
  @ApiProperty({ description: 'True when more people are that near: the last distance is cut off by id' })
  truncated!: boolean;
}

@ApiTags('people')
@Controller('v1/people/:network/:id')
@Roles(...EVERY_READER)
@UseInterceptors(FreshReads)
export class WalksController {
  constructor(
    private readonly mutual: FindMutualFriends,
    private readonly paths: FindPath,
    private readonly surroundings: DrawSurroundings,
  ) {}

  @Get('friends/mutual')
  @ApiOperation({ summary: 'Friends that a person has in common with one or more others' })
  @ApiOkResponse({ type: MutualFriendsPage })
  async mutualFriends(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: PersonParams,
    @Query() query: MutualQuery,
  ): Promise<MutualFriendsPage> {
    const page = { limit: query.limit, after: placeOf(query) };
    const others = [...new Set(query.with.split(','))];
    const { ids, next } = await this.mutual.execute({ workspaceId, network, id }, others, page);
    return {
      items: ids.map((friend) => ({ id: friend })),
      next: next === undefined ? null : encodeCursor({ after: next }),
    };
  }

  @Get('path')
  @ApiOperation({ summary: 'One of the shortest chains of friends to another person' })
  @ApiOkResponse({ type: PathAnswer })
  async path(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: PersonParams,
    @Query() { to, maxLength }: PathQuery,
  ): Promise<PathAnswer> {
    const verdict = await this.paths.execute({ workspaceId, network, id }, to, maxLength);
    if (verdict.kind === 'none') return { found: false, length: null, people: [] };
    return { found: true, length: verdict.people.length - 1, people: verdict.people.map(named) };
  }

  @Get('surroundings')
  @ApiOperation({ summary: 'People around a person and the friendships among them, for drawing' })
  @ApiOkResponse({ type: SurroundingsAnswer })
  async around(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: PersonParams,
    @Query() query: SurroundingsQuery,
  ): Promise<SurroundingsAnswer> {
    const { depth, nodes } = query;
    const at = query.at === undefined ? undefined : Date.parse(query.at);
    const found = await this.surroundings.execute({ workspaceId, network, id }, { depth, nodes, at });
    return {
      people: found.people.map((person) => ({ ...named(person), distance: person.distance })),
      friendships: found.friendships.map(([from, to]) => ({ from, to })),
      truncated: found.truncated,
    };
  }
}

function named({ id, name }: { id: string; name: string | undefined }): PathPersonAnswer {
  return { id, ...(name !== undefined && { name }) };
}
