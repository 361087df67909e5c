import { z } from 'zod';
import { type ItemOutcome, MOVED } from '../../../domain/items';
import type { Observation } from '../../../domain/observation';
import type { CallContent } from '../../../domain/ports';
import type { VkError } from './errors';
import { CALLS_PER_EXECUTE, MEMBERS_PER_PAGE } from './execute-script';
import { idPage, parsed, type Slot, slotsOf, storedCursor } from './slots';

/** How far the walk through a group's members is: pages of one walk bear the same list id. */
const cursorShape = z.object({
  listId: z.string(),
  offset: z.number(),
  /** Members that VK claimed when the last page was read; -1 before the first one. */
  count: z.number(),
  /** The highest id seen: pages come in the order of ids. */
  last: z.number(),
  parts: z.number(),
  seen: z.number(),
  /** Walks that were begun anew, and steps back in this one. */
  walks: z.number(),
  back: z.number(),
  moved: z.boolean(),
});
type Cursor = z.infer<typeof cursorShape>;

/** Beyond these the rest of the walk is taken as it comes, and closed as incomplete. */
const MOST_WALKS = 3;
const MOST_STEPS_BACK = 20;

/**
 * 25 pages go into one execute: all of one group's, or an equal share of each. A call that failed before asks for
 * fewer, because its answer may have been too large or too slow.
 */
export function memberPages(content: CallContent): { id: string; offset: number }[] {
  const each = Math.max(1, Math.floor(CALLS_PER_EXECUTE / content.people.length) >> content.tries);
  return content.people.flatMap((subject) => {
    const { offset, count } = cursorOf(content, subject);
    const left = count < 0 ? each : Math.max(1, Math.ceil((count - offset) / MEMBERS_PER_PAGE));
    return Array.from({ length: Math.min(each, left) }, (_, page) => ({
      id: subject.slice(1),
      offset: offset + page * MEMBERS_PER_PAGE,
    }));
  });
}

export function membersOf(
  content: CallContent,
  response: unknown,
  errors: readonly VkError[],
): Map<string, ItemOutcome> {
  const slots = slotsOf(response, errors);
  const asked = memberPages(content);
  const outcomes = new Map<string, ItemOutcome>();
  for (const subject of content.people) {
    const pages = asked.flatMap(({ id, offset }, index) =>
      id === subject.slice(1) ? [{ slot: slots(index), offset }] : [],
    );
    outcomes.set(subject, walk(subject.slice(1), cursorOf(content, subject), pages, content.callId));
  }
  return outcomes;
}

/**
 * Members come in the order of ids. Where somebody left, the others moved up and one was passed over: the walk goes
 * back by as many places, and skips what it knows. Where an id comes twice, somebody joined among those read
 * already: the walk begins anew, twice at most.
 */
function walk(
  groupId: string,
  from: Cursor,
  pages: readonly { slot: Slot; offset: number }[],
  callId: string,
): ItemOutcome {
  const cursor = { ...from };
  const ids: number[] = [];
  let expected = from.back > 0;
  for (const { slot, offset } of pages) {
    const page = parsed(slot, idPage);
    if ('outcome' in page) return page.outcome;
    const { count, items } = page.data;
    const left = cursor.count - count;
    if (cursor.count >= 0 && left > 0 && offset > 0 && cursor.back < MOST_STEPS_BACK) {
      return goOn(
        groupId,
        { ...cursor, offset: Math.max(0, offset - left), count, back: cursor.back + 1 },
        ids,
      );
    }
    if (left > 0 && offset > 0) cursor.moved = true;
    cursor.count = count;
    const fresh = items.filter((id) => id > cursor.last);
    if (fresh.length < items.length && !expected) {
      if (cursor.walks + 1 < MOST_WALKS) return restart(callId, cursor.walks + 1);
      cursor.moved = true;
    }
    expected = false;
    ids.push(...fresh);
    cursor.last = Math.max(cursor.last, ...fresh.slice(-1));
    cursor.offset = offset + items.length;
    if (items.length === 0 || cursor.offset >= count) return close(groupId, cursor, ids);
  }
  return goOn(groupId, { ...cursor, back: 0 }, ids);
}

function goOn(groupId: string, cursor: Cursor, ids: readonly number[]): ItemOutcome {
  const { observations, next } = published(groupId, cursor, ids);
  return {
    kind: 'seen',
    observations,
    met: ids.map((id) => ({ person: String(id), steps: 1 })),
    rest: { kind: 'more', cursor: JSON.stringify(next) },
  };
}

function close(groupId: string, cursor: Cursor, ids: readonly number[]): ItemOutcome {
  const { observations, next } = published(groupId, cursor, ids);
  const { listId, parts, seen, moved } = next;
  observations.push({ kind: 'members-closed', groupId, listId, parts, count: seen, complete: !moved });
  return {
    kind: 'seen',
    observations,
    met: ids.map((id) => ({ person: String(id), steps: 1 })),
    rest: moved ? { kind: 'partial', detail: MOVED } : { kind: 'none' },
  };
}

/** Pages of a walk that was given up stay without a closing record: nothing is concluded from them. */
function restart(callId: string, walks: number): ItemOutcome {
  const rest = { kind: 'more' as const, cursor: JSON.stringify({ ...beginning(callId), walks }) };
  return { kind: 'seen', observations: [], met: [], rest };
}

function published(
  groupId: string,
  cursor: Cursor,
  ids: readonly number[],
): { observations: Observation[]; next: Cursor } {
  if (ids.length === 0) return { observations: [], next: cursor };
  const { listId, parts } = cursor;
  return {
    observations: [{ kind: 'member-page', groupId, listId, part: parts, memberIds: ids.map(String) }],
    next: { ...cursor, parts: parts + 1, seen: cursor.seen + ids.length },
  };
}

function cursorOf({ cursors, callId }: CallContent, subject: string): Cursor {
  return storedCursor(cursors, subject, cursorShape) ?? beginning(callId);
}

/** The list is named after the call that begins it: a repeat of that call names it the same. */
function beginning(callId: string): Cursor {
  return {
    listId: callId,
    offset: 0,
    count: -1,
    last: 0,
    parts: 0,
    seen: 0,
    walks: 0,
    back: 0,
    moved: false,
  };
}
