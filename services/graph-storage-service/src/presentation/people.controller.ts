import { Controller, Get, Param, Query, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiPropertyOptional, ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { DomainError } from '@sociograph/kernel';
import { encodeCursor } from '@sociograph/service-host';
import { IsIn, IsOptional } from 'class-validator';
import { ReadPerson, type FriendshipView } from '../application/read-person';
import { assertedBy, isComplete, isKnown, newestStamp } from '../domain/own-list';
import type { Person } from '../domain/person';
import { FreshAnswer, FreshReads, MIN_POSITION, PositionPageQuery } from './fresh-reads';
import { IsMoment } from './moment';
import { AssertionAnswer, assertion, EVERY_READER, iso, PersonParams, placeOf } from './query-shapes';

const A_DATE = 'A date alone is its midnight, UTC';

class FriendsQuery extends PositionPageQuery {
  @ApiPropertyOptional({
    format: 'date-time',
    description: `As the friendships were known at that moment. ${A_DATE}`,
  })
  @IsOptional()
  @IsMoment()
  at?: string;

  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description: 'Only disputed friendships, or only others. Not together with `at`',
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  disputed?: string;
}

class FriendChangesQuery extends PositionPageQuery {
  @ApiProperty({ format: 'date-time', description: A_DATE, example: '2026-11-01T00:00:00Z' })
  @IsMoment()
  from!: string;

  @ApiProperty({ format: 'date-time', description: A_DATE, example: '2026-11-20T00:00:00Z' })
  @IsMoment()
  to!: string;
}

class OwnListAnswer {
  @ApiProperty({ description: 'People on the newest list of this person' })
  count!: number;
  @ApiProperty({ description: 'False until one complete list was seen' })
  complete!: boolean;
  @ApiProperty({ format: 'date-time' })
  observedAt!: string;
}

class PersonAnswer extends FreshAnswer {
  @ApiProperty()
  network!: string;
  @ApiProperty()
  id!: string;
  @ApiPropertyOptional({
    enum: ['active', 'deleted', 'banned'],
    description: 'Absent while only a list was seen',
  })
  state?: string;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  profile?: unknown;
  @ApiPropertyOptional({ format: 'date-time' })
  observedAt?: string;
  @ApiPropertyOptional({ type: OwnListAnswer })
  friends?: OwnListAnswer;
  @ApiProperty({ description: 'Rises with every stored change' })
  version!: number;
}

class FriendAnswer {
  @ApiProperty()
  id!: string;
  @ApiProperty({ format: 'date-time', description: 'When the friendship was first seen' })
  since!: string;
  @ApiPropertyOptional({
    format: 'date-time',
    description: 'When it was found to be over; absent while it lasts',
  })
  until?: string;
  @ApiProperty({ type: AssertionAnswer, nullable: true, description: "What this person's own list says" })
  seenInOwnList!: AssertionAnswer | null;
  @ApiProperty({ type: AssertionAnswer, nullable: true, description: "What the friend's list says" })
  seenInFriendsList!: AssertionAnswer | null;
  @ApiProperty({ description: 'Only one list has it, and the newer complete list of the other lacks it' })
  disputed!: boolean;
}

class FriendsPage extends FreshAnswer {
  @ApiProperty({ type: [FriendAnswer] })
  items!: FriendAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

class FriendChangeAnswer {
  @ApiProperty()
  id!: string;
  @ApiProperty({ enum: ['added', 'removed'] })
  change!: 'added' | 'removed';
}

class FriendChangesPage extends FreshAnswer {
  @ApiProperty({ type: [FriendChangeAnswer] })
  items!: FriendChangeAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

@ApiTags('people')
@Controller('v1/people/:network/:id')
@Roles(...EVERY_READER)
@UseInterceptors(FreshReads)
export class PeopleController {
  constructor(private readonly people: ReadPerson) {}

  /** A person as stored. */
  @Get()
  @ApiQuery(MIN_POSITION)
  @ApiOkResponse({ type: PersonAnswer })
  async person(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() params: PersonParams,
  ): Promise<PersonAnswer> {
    return personAnswer(await this.people.person({ workspaceId, network: params.network, id: params.id }));
  }

  /** Friends by either list, in a stable order: now, or as they were known at a moment. */
  @Get('friends')
  @ApiOkResponse({ type: FriendsPage })
  async friends(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() params: PersonParams,
    @Query() query: FriendsQuery,
  ): Promise<FriendsPage> {
    const after = placeOf(query);
    const at = query.at === undefined ? undefined : Date.parse(query.at);
    const ref = { workspaceId, network: params.network, id: params.id };
    if (at !== undefined && query.disputed !== undefined) throw disputesArePresent();
    const disputed = query.disputed === undefined ? undefined : query.disputed === 'true';
    const { items, next } = await this.people.friends(ref, { limit: query.limit, after, at, disputed });
    return {
      items: items.map(friendAnswer),
      next: next === undefined ? null : encodeCursor({ after: next }),
    };
  }

  /** Who became a friend and who stopped being one between two moments. */
  @Get('friends/changes')
  @ApiOkResponse({ type: FriendChangesPage })
  async changes(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() params: PersonParams,
    @Query() query: FriendChangesQuery,
  ): Promise<FriendChangesPage> {
    const [from, to] = [Date.parse(query.from), Date.parse(query.to)];
    if (from >= to) throw reversed();
    const ref = { workspaceId, network: params.network, id: params.id };
    const span = { from, to, limit: query.limit, after: placeOf(query) };
    const { items, next } = await this.people.changes(ref, span);
    return { items, next: next === undefined ? null : encodeCursor({ after: next }) };
  }
}

function disputesArePresent(): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'Disputes are known of the present only.',
    fields: [{ field: 'disputed', message: 'cannot be asked for together with at' }],
  });
}

function reversed(): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'The moments to compare are not in order.',
    fields: [{ field: 'to', message: 'must be later than `from`' }],
  });
}

function personAnswer({ ref, version, document, list }: Person): PersonAnswer {
  const content = document?.content as { state: string; profile: unknown } | undefined;
  const seen = newestStamp(list);
  return {
    network: ref.network,
    id: ref.id,
    ...(document && content && { ...content, observedAt: iso(document.stamp.observedAt) }),
    ...(isKnown(list) &&
      seen && {
        friends: {
          count: assertedBy(list).size,
          complete: isComplete(list),
          observedAt: iso(seen.observedAt),
        },
      }),
    version,
  };
}

function friendAnswer({
  id,
  since,
  until,
  seenInOwnList,
  seenInFriendsList,
  disputed,
}: FriendshipView): FriendAnswer {
  return {
    id,
    since: iso(since),
    ...(until !== undefined && { until: iso(until) }),
    seenInOwnList: assertion(seenInOwnList),
    seenInFriendsList: assertion(seenInFriendsList),
    disputed,
  };
}
