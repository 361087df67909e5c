import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { DomainError } from '@sociograph/kernel';
import { decodeCursor, encodeCursor, PageQuery } from '@sociograph/service-host';
import { IsOptional, Matches } from 'class-validator';
import { z } from 'zod';
import { ReadPerson, type FriendshipView } from '../application/read-person';
import type { SideAssertion } from '../domain/friendship';
import { assertedBy, isComplete, isKnown, newestStamp } from '../domain/own-list';
import type { Person } from '../domain/person';
import { IsMoment } from './moment';

class PersonParams {
  @ApiProperty({ example: 'vk' })
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, { message: 'must name a network, e.g. vk' })
  network!: string;

  @ApiProperty({ example: '107' })
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'must be the id of a person at the network' })
  id!: string;
}

const A_DATE = 'A date alone is its midnight, UTC';

class FriendsQuery extends PageQuery {
  @ApiPropertyOptional({
    format: 'date-time',
    description: `As the friendships were known at that moment. ${A_DATE}`,
  })
  @IsOptional()
  @IsMoment()
  at?: string;
}

class FriendChangesQuery extends PageQuery {
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

class PersonAnswer {
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

class AssertionAnswer {
  @ApiProperty({ format: 'date-time' })
  observedAt!: string;
  @ApiProperty()
  importId!: string;
  @ApiProperty()
  callId!: string;
  @ApiPropertyOptional()
  keyId?: string;
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

class FriendsPage {
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

class FriendChangesPage {
  @ApiProperty({ type: [FriendChangeAnswer] })
  items!: FriendChangeAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

const place = z.object({ after: z.string().min(1).max(254) });

@ApiTags('people')
@Controller('v1/people/:network/:id')
@Roles('viewer', 'analyst', 'operator', 'admin')
export class PeopleController {
  constructor(private readonly people: ReadPerson) {}

  /** A person as stored. */
  @Get()
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
    const { items, next } = await this.people.friends(ref, { limit: query.limit, after, at });
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

function placeOf({ cursor }: PageQuery): string | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor, place).after;
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

function assertion(seen: SideAssertion | undefined): AssertionAnswer | null {
  if (!seen) return null;
  const { observedAt, importId, callId, keyId } = seen;
  return {
    observedAt: iso(observedAt),
    importId: importId ?? '',
    callId: callId ?? '',
    ...(keyId !== undefined && { keyId }),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
