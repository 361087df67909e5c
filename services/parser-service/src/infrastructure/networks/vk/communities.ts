import { z } from 'zod';
import { type ItemOutcome, type Met, MOVED, type Rest } from '../../../domain/items';
import type { GroupProfile, Observation } from '../../../domain/observation';
import type { VkError } from './errors';
import { GROUPS_PER_PAGE } from './execute-script';
import { wholeList } from './people';
import { faultOf, idPage, parsed, slotsOf, unreadable, vkId } from './slots';

const subscriptions = z.object({ users: idPage, groups: idPage });

const group = z.object({
  id: vkId,
  name: z.string(),
  screen_name: z.string().optional(),
  is_closed: z.number().int().min(0).max(2).optional(),
  type: z.enum(['group', 'page', 'event']).optional(),
  deactivated: z.enum(['deleted', 'banned']).optional(),
  members_count: z.number().int().nonnegative().optional(),
});

const ACCESS = ['open', 'closed', 'private'] as const;
const LONGEST_NAME = 1_024;
const LONGEST_SCREEN_NAME = 256;

/** What an execute of groups.get said of each person: the communities that the person is a member of. */
export function groupsOf(
  people: readonly string[],
  response: unknown,
  errors: readonly VkError[],
): Map<string, ItemOutcome> {
  const slots = slotsOf(response, errors);
  return new Map(
    people.map((person, index) => {
      const page = parsed(slots(index), idPage);
      if ('outcome' in page) return [person, page.outcome];
      const { count, items } = page.data;
      if (count > items.length && items.length >= GROUPS_PER_PAGE) return [person, { kind: 'too-long' }];
      const ids = [...new Set(items.map(String))];
      const missing = items.length >= count ? undefined : `${ids.length} of ${count}`;
      const list = listed(person, 'groups', ids, missing === undefined ? undefined : count);
      return [person, seen([list], ids, missing)];
    }),
  );
}

/** What an execute of all pages of one person's communities said. */
export function longGroupsOf(
  person: string,
  response: unknown,
  pages: number,
  errors: readonly VkError[],
): ItemOutcome {
  const read = wholeList(response, pages, errors);
  if ('outcome' in read) return read.outcome;
  const { ids, total, moved } = read;
  const missing = moved ? MOVED : ids.length >= total ? undefined : `${ids.length} of ${total}`;
  const list = listed(person, 'groups', ids, missing === undefined ? undefined : total);
  return seen([list], ids, missing);
}

/** What an execute of users.getSubscriptions said: pages and people that somebody follows, a list of each. */
export function subscriptionsOf(
  people: readonly string[],
  response: unknown,
  errors: readonly VkError[],
): Map<string, ItemOutcome> {
  const slots = slotsOf(response, errors);
  return new Map(
    people.map((person, index) => {
      const read = parsed(slots(index), subscriptions);
      if ('outcome' in read) return [person, read.outcome];
      const { users, groups } = read.data;
      const lists = [
        part(person, 'pages', groups.items, groups.count),
        part(person, 'people', users.items, users.count),
      ];
      const missing = lists.find((list) => list.missing !== undefined)?.missing;
      const pages = lists[0]?.ids ?? [];
      return [
        person,
        seen(
          lists.map(({ observation }) => observation),
          pages,
          missing,
        ),
      ];
    }),
  );
}

/** What groups.getById said: an object since 5.140, a bare list before. VK leaves out whom it does not know. */
export function groupProfilesOf(subjects: readonly string[], response: unknown): Map<string, ItemOutcome> {
  const holder = z
    .union([z.array(z.unknown()), z.object({ groups: z.array(z.unknown()) })])
    .safeParse(response);
  if (!holder.success) {
    return new Map(subjects.map((subject) => [subject, unreadable('response.groups: expected array')]));
  }
  const entries = Array.isArray(holder.data) ? holder.data : holder.data.groups;
  const outcomes = new Map<string, ItemOutcome>();
  let nameless: string | undefined;
  entries.forEach((entry, index) => {
    const read = group.safeParse(entry);
    if (read.success) {
      outcomes.set(`-${read.data.id}`, seen([groupSeen(read.data)], [], undefined));
      return;
    }
    const fault = faultOf(read.error, `response.groups[${index}]`);
    const id = z.object({ id: vkId }).safeParse(entry);
    if (id.success) outcomes.set(`-${id.data.id}`, unreadable(fault));
    else nameless ??= fault;
  });
  const missing: ItemOutcome =
    nameless === undefined ? { kind: 'absent', cause: 'unknown' } : unreadable(nameless);
  return new Map(subjects.map((subject) => [subject, outcomes.get(subject) ?? missing]));
}

function groupSeen(of: z.infer<typeof group>): Observation {
  const profile: GroupProfile = { name: of.name.slice(0, LONGEST_NAME) };
  if (of.screen_name !== undefined) profile.screenName = of.screen_name.slice(0, LONGEST_SCREEN_NAME);
  if (of.type !== undefined) profile.kind = of.type;
  const closed = of.is_closed === undefined ? undefined : ACCESS[of.is_closed];
  if (closed !== undefined) profile.closed = closed;
  if (of.members_count !== undefined) profile.membersCount = of.members_count;
  return { kind: 'group', groupId: String(of.id), state: of.deactivated ?? 'active', profile };
}

function part(
  person: string,
  list: 'pages' | 'people',
  items: readonly number[],
  count: number,
): { observation: Observation; ids: string[]; missing: string | undefined } {
  const ids = [...new Set(items.map(String))];
  const missing = items.length >= count ? undefined : `${ids.length} of ${count} ${list}`;
  const total = missing === undefined ? undefined : count;
  return { observation: listed(person, list, ids, total), ids, missing };
}

/** `total` where the list is only a part of it. */
function listed(
  person: string,
  list: 'groups' | 'pages' | 'people',
  ids: string[],
  total: number | undefined,
): Observation {
  return total === undefined
    ? { kind: 'subscription-list', person, list, outcome: 'complete', ids }
    : { kind: 'subscription-list', person, list, outcome: 'partial', ids, total };
}

function seen(
  observations: Observation[],
  groups: readonly string[],
  missing: string | undefined,
): ItemOutcome {
  const met: Met[] = groups.map((id) => ({ person: `-${id}`, steps: 1 }));
  const rest: Rest = missing === undefined ? { kind: 'none' } : { kind: 'partial', detail: missing };
  return { kind: 'seen', observations, met, rest };
}
