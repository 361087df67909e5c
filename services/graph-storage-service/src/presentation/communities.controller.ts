import { Controller, Get, Param, Query, UseInterceptors } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiQuery,
  ApiTags,
  IntersectionType,
} from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { decodeCursor, encodeCursor, PageQuery } from '@sociograph/service-host';
import { z } from 'zod';
import { ReadCommunities } from '../application/read-communities';
import type { PersonRef } from '../domain/observation';
import type { Vertex } from '../domain/vertex';
import { FreshAnswer, FreshReads, MIN_POSITION, PositionPageQuery } from './fresh-reads';
import { EVERY_READER, GroupParams, iso, PersonParams, placeOf, PostParams } from './query-shapes';
import { SubscriptionsPage, subscriptionsPage } from './subscriptions.controller';

class GroupAnswer extends FreshAnswer {
  @ApiProperty()
  network!: string;
  @ApiProperty()
  id!: string;
  @ApiProperty({ enum: ['active', 'deleted', 'banned'] })
  state!: string;
  @ApiProperty({ type: 'object', additionalProperties: true })
  profile!: unknown;
  @ApiProperty({ format: 'date-time' })
  observedAt!: string;
  @ApiProperty({ description: 'Rises with every stored change' })
  version!: number;
}

/** One of a page, which says itself how fresh it is. */
class PostInPage {
  @ApiProperty()
  network!: string;
  @ApiProperty({ description: "Owner and number on that owner's wall" })
  id!: string;
  @ApiProperty({ enum: ['user', 'group'] })
  ownerKind!: string;
  @ApiProperty()
  ownerId!: string;
  @ApiPropertyOptional()
  authorId?: string;
  @ApiProperty({ format: 'date-time' })
  publishedAt!: string;
  @ApiProperty()
  text!: string;
  @ApiPropertyOptional({ type: 'integer' })
  likes?: number;
  @ApiPropertyOptional({ type: 'integer' })
  reposts?: number;
  @ApiPropertyOptional({ type: 'integer' })
  comments?: number;
  @ApiPropertyOptional({ type: 'integer' })
  views?: number;
  @ApiPropertyOptional()
  repostOf?: string;
  @ApiProperty({ format: 'date-time' })
  observedAt!: string;
  @ApiProperty({ description: 'Rises with every stored change' })
  version!: number;
}

class PostAnswer extends IntersectionType(FreshAnswer, PostInPage) {}

class PostsPage extends FreshAnswer {
  @ApiProperty({ type: [PostInPage], description: 'Newest first' })
  items!: PostInPage[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

const postPlace = z.strictObject({
  publishedAt: z.number().int().nonnegative(),
  id: z.string().min(1).max(90),
});

@ApiTags('groups')
@Controller('v1/groups/:network/:id')
@Roles(...EVERY_READER)
@UseInterceptors(FreshReads)
export class GroupsController {
  constructor(private readonly communities: ReadCommunities) {}

  @Get()
  @ApiOperation({ summary: 'A group or page as stored' })
  @ApiQuery(MIN_POSITION)
  @ApiOkResponse({ type: GroupAnswer })
  async group(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: GroupParams,
  ): Promise<GroupAnswer> {
    return groupAnswer(await this.communities.group({ workspaceId, network, id }));
  }

  @Get('members')
  @ApiOperation({ summary: 'People who belong to a group, by either side, in a stable order' })
  @ApiOkResponse({ type: SubscriptionsPage })
  members(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: GroupParams,
    @Query() query: PositionPageQuery,
  ): Promise<SubscriptionsPage> {
    return this.#people({ workspaceId, network, id }, 'groups', query);
  }

  @Get('followers')
  @ApiOperation({ summary: 'People who follow a page, as their own lists say' })
  @ApiOkResponse({ type: SubscriptionsPage })
  followers(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: GroupParams,
    @Query() query: PositionPageQuery,
  ): Promise<SubscriptionsPage> {
    return this.#people({ workspaceId, network, id }, 'pages', query);
  }

  @Get('posts')
  @ApiOperation({ summary: "Posts on a group's wall, newest first" })
  @ApiOkResponse({ type: PostsPage })
  posts(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: GroupParams,
    @Query() query: PositionPageQuery,
  ): Promise<PostsPage> {
    return postsOf(this.communities, { kind: 'group', ref: { workspaceId, network, id } }, query);
  }

  async #people(ref: PersonRef, list: 'groups' | 'pages', query: PageQuery): Promise<SubscriptionsPage> {
    const place = { limit: query.limit, after: placeOf(query) };
    const page = await this.communities.subscribers(ref, list, place);
    return subscriptionsPage(page, ({ personId }) => personId);
  }
}

@ApiTags('posts')
@Controller('v1')
@Roles(...EVERY_READER)
@UseInterceptors(FreshReads)
export class PostsController {
  constructor(private readonly communities: ReadCommunities) {}

  @Get('posts/:network/:id')
  @ApiOperation({ summary: 'A post as stored' })
  @ApiQuery(MIN_POSITION)
  @ApiOkResponse({ type: PostAnswer })
  async post(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: PostParams,
  ): Promise<PostAnswer> {
    return postAnswer(await this.communities.post({ workspaceId, network, id }));
  }

  @Get('people/:network/:id/posts')
  @ApiOperation({ summary: "Posts on a person's wall, newest first" })
  @ApiOkResponse({ type: PostsPage })
  postsOfPerson(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network, id }: PersonParams,
    @Query() query: PositionPageQuery,
  ): Promise<PostsPage> {
    return postsOf(this.communities, { kind: 'user', ref: { workspaceId, network, id } }, query);
  }
}

async function postsOf(
  communities: ReadCommunities,
  owner: { kind: 'user' | 'group'; ref: PersonRef },
  { limit, cursor }: PageQuery,
): Promise<PostsPage> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, postPlace);
  const { items, next } = await communities.posts(owner, { limit, after });
  return { items: items.map(postAnswer), next: next === undefined ? null : encodeCursor(next) };
}

function groupAnswer({ ref, version, document }: Vertex): GroupAnswer {
  const { state, profile } = document?.content as { state: string; profile: unknown };
  return {
    network: ref.network,
    id: ref.id,
    state,
    profile,
    observedAt: iso(document?.stamp.observedAt ?? 0),
    version,
  };
}

function postAnswer({ ref, version, document }: Vertex): PostInPage {
  const { publishedAt, ...content } = document?.content as Omit<PostInPage, 'publishedAt'> & {
    publishedAt: number;
  };
  return {
    ...content,
    network: ref.network,
    id: ref.id,
    publishedAt: iso(publishedAt),
    observedAt: iso(document?.stamp.observedAt ?? 0),
    version,
  };
}
