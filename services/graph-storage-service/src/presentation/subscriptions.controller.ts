import { Controller, Get, Param, Query, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { encodeCursor } from '@sociograph/service-host';
import { ReadCommunities } from '../application/read-communities';
import type { SubscriptionPage } from '../domain/query-ports';
import type { SubscriptionList } from '../domain/subscription';
import { FreshAnswer, FreshReads, PositionPageQuery } from './fresh-reads';
import { AssertionAnswer, assertion, EVERY_READER, iso, PersonParams, placeOf } from './query-shapes';

class SubscriptionAnswer {
  @ApiProperty({ description: 'Of the group, page or person; of the member where members are listed' })
  id!: string;
  @ApiProperty({ format: 'date-time', description: 'When it was first seen' })
  since!: string;
  @ApiProperty({ type: AssertionAnswer, nullable: true, description: "What the person's own list says" })
  seenInOwnList!: AssertionAnswer | null;
  @ApiProperty({ type: AssertionAnswer, nullable: true, description: "What the group's members say" })
  seenAmongMembers!: AssertionAnswer | null;
}

export class SubscriptionsPage extends FreshAnswer {
  @ApiProperty({ type: [SubscriptionAnswer] })
  items!: SubscriptionAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

@ApiTags('people')
@Controller('v1/people/:network/:id')
@Roles(...EVERY_READER)
@UseInterceptors(FreshReads)
export class SubscriptionsController {
  constructor(private readonly communities: ReadCommunities) {}

  @Get('groups')
  @ApiOperation({ summary: 'Groups that a person belongs to, by either side, in a stable order' })
  @ApiOkResponse({ type: SubscriptionsPage })
  groups(
    @CurrentPrincipal() principal: Principal,
    @Param() params: PersonParams,
    @Query() query: PositionPageQuery,
  ): Promise<SubscriptionsPage> {
    return this.#list(principal, params, 'groups', query);
  }

  @Get('pages')
  @ApiOperation({ summary: 'Pages that a person follows' })
  @ApiOkResponse({ type: SubscriptionsPage })
  pages(
    @CurrentPrincipal() principal: Principal,
    @Param() params: PersonParams,
    @Query() query: PositionPageQuery,
  ): Promise<SubscriptionsPage> {
    return this.#list(principal, params, 'pages', query);
  }

  @Get('follows')
  @ApiOperation({ summary: 'People whom a person follows' })
  @ApiOkResponse({ type: SubscriptionsPage })
  follows(
    @CurrentPrincipal() principal: Principal,
    @Param() params: PersonParams,
    @Query() query: PositionPageQuery,
  ): Promise<SubscriptionsPage> {
    return this.#list(principal, params, 'people', query);
  }

  async #list(
    { workspaceId }: Principal,
    { network, id }: PersonParams,
    list: SubscriptionList,
    query: PositionPageQuery,
  ): Promise<SubscriptionsPage> {
    const place = { limit: query.limit, after: placeOf(query) };
    const page = await this.communities.subscriptions({ workspaceId, network, id }, list, place);
    return subscriptionsPage(page, ({ targetId }) => targetId);
  }
}

export function subscriptionsPage(
  { items, next }: SubscriptionPage,
  idOf: (subscription: SubscriptionPage['items'][number]) => string,
): SubscriptionsPage {
  return {
    items: items.map((subscription) => ({
      id: idOf(subscription),
      since: iso(subscription.since),
      seenInOwnList: assertion(subscription.own),
      seenAmongMembers: assertion(subscription.members),
    })),
    next: next === undefined ? null : encodeCursor({ after: next }),
  };
}
