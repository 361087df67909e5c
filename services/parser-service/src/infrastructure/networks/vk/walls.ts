import { z } from 'zod';
import { type ItemOutcome, MOVED, type Rest } from '../../../domain/items';
import type { Observation, Post } from '../../../domain/observation';
import type { CallContent } from '../../../domain/ports';
import type { VkError } from './errors';
import { POSTS_PER_PAGE } from './execute-script';
import { parsed, slotsOf, storedCursor, vkId } from './slots';

const counted = z.object({ count: z.number().int().nonnegative() }).optional();

const post = z.object({
  id: vkId,
  owner_id: z.number().int(),
  from_id: z.number().int(),
  date: z.number().int().nonnegative(),
  text: z.string(),
  is_pinned: z.number().int().optional(),
  likes: counted,
  reposts: counted,
  comments: counted,
  views: counted,
  copy_history: z.array(z.object({ id: vkId, owner_id: z.number().int() })).optional(),
});
type VkPost = z.infer<typeof post>;

const page = z.object({ count: z.number().int().nonnegative(), items: z.array(post) });

/** Moments of posts in the order of a wall: date (s), then id. */
const moment = z.tuple([z.number(), z.number()]);
type Moment = z.infer<typeof moment>;

const cursorShape = z.object({
  offset: z.number(),
  /** The oldest post read; the next page begins with it, or the wall moved. */
  anchor: moment.nullable(),
  /** A pinned post that stands first and belongs farther down: it counts when its place comes. */
  pinned: moment.nullable(),
  taken: z.number(),
  back: z.number(),
  moved: z.boolean(),
});
type Cursor = z.infer<typeof cursorShape>;

const BEGINNING: Cursor = { offset: 0, anchor: null, pinned: null, taken: 0, back: 0, moved: false };
const LONGEST_TEXT = 100_000;
const FEWEST_POSTS = 10;
/** Where posts were deleted the next page lies farther up; so far back the walk looks for where it was. */
const STEP_BACK = 50;
const MOST_STEPS_BACK = 3;

/** A call that failed before asks for fewer posts of each wall. */
export function postsPerPage({ tries }: CallContent): number {
  return Math.max(FEWEST_POSTS, POSTS_PER_PAGE >> tries);
}

export function wallPages(content: CallContent): { id: string; offset: number }[] {
  return content.people.map((id) => ({ id, offset: cursorOf(content, id).offset }));
}

/** What an execute of wall.get said of each owner: one page of each wall, as far as the import reaches. */
export function wallsOf(
  content: CallContent,
  response: unknown,
  errors: readonly VkError[],
): Map<string, ItemOutcome> {
  const slots = slotsOf(response, errors);
  return new Map(
    content.people.map((owner, index) => {
      const read = parsed(slots(index), page);
      if ('outcome' in read) return [owner, read.outcome];
      return [owner, wallPage(read.data, cursorOf(content, owner), content)];
    }),
  );
}

/**
 * Newest first, so posts that appear meanwhile push known ones into the next page, where they are skipped; posts that
 * vanish pull unknown ones out of it, which shows by the page not beginning with the last post read.
 */
function wallPage({ count, items }: z.infer<typeof page>, cursor: Cursor, content: CallContent): ItemOutcome {
  const regular = items.filter(({ is_pinned }) => is_pinned !== 1);
  const { anchor } = cursor;
  const lost = anchor !== null && cursor.offset > 0 && !regular.some((one) => !isOlder(one, anchor));
  if (lost && cursor.back < MOST_STEPS_BACK) {
    const offset = Math.max(0, cursor.offset - STEP_BACK);
    return goOn([], { ...cursor, offset, back: cursor.back + 1 });
  }
  const moved = cursor.moved || lost;
  const fresh = regular.filter((one) => anchor === null || isOlder(one, anchor));
  const pinned = anchor === null ? items.find(({ is_pinned }) => is_pinned === 1) : undefined;
  const ends = cursor.offset + items.length >= count;
  const { since, last } = content.scope.walls;
  const recent = (one: VkPost): boolean => since === null || one.date * 1_000 >= since;
  const oldest = fresh.at(-1);

  // A pinned post that is older than all others here belongs farther down: it is shown now and counts when the walk
  // comes by its place. Of a wall that ends here, or among posts of its age, it has its place at once.
  const early = pinned !== undefined && !ends && oldest !== undefined && isOlder(pinned, momentOf(oldest));
  const inOrder = pinned === undefined || early ? fresh : [...fresh, pinned].sort(newestFirst);
  const room = last === null ? inOrder.length : last - cursor.taken;
  const candidates = inOrder.filter(recent).slice(0, room);
  const lowest = candidates.at(-1);
  const passed = cursor.pinned !== null && lowest !== undefined && isOlder(lowest, cursor.pinned) ? 1 : 0;
  const taken = last === null ? candidates : candidates.slice(0, room - passed);
  const reached = cursor.taken + passed + taken.length;
  const full = last !== null && reached >= last;
  const shown = early && !full && recent(pinned) ? [...taken, pinned] : taken;
  const observations = shown.map(observationOf);
  if (full || ends || fresh.some((one) => !recent(one))) {
    const rest: Rest = moved ? { kind: 'partial', detail: MOVED } : { kind: 'none' };
    return { kind: 'seen', observations, met: [], rest };
  }
  return goOn(observations, {
    // One post of this page again, as the sign that nothing moved. A page that shows nothing is passed over.
    offset: items.length > 1 ? cursor.offset + items.length - 1 : cursor.offset + postsPerPage(content),
    anchor: oldest === undefined ? anchor : momentOf(oldest),
    pinned: shown.length > taken.length && early ? momentOf(pinned) : passed === 1 ? null : cursor.pinned,
    taken: reached,
    back: 0,
    moved,
  });
}

function goOn(observations: Observation[], cursor: Cursor): ItemOutcome {
  return { kind: 'seen', observations, met: [], rest: { kind: 'more', cursor: JSON.stringify(cursor) } };
}

function observationOf(of: VkPost): Observation {
  const [source] = of.copy_history ?? [];
  const seen: Post = {
    ownerKind: of.owner_id > 0 ? 'user' : 'group',
    ownerId: String(Math.abs(of.owner_id)),
    publishedAt: of.date * 1_000,
    text: of.text.slice(0, LONGEST_TEXT),
  };
  if (of.from_id > 0) seen.authorId = String(of.from_id);
  for (const name of ['likes', 'reposts', 'comments', 'views'] as const) {
    const value = of[name]?.count;
    if (value !== undefined) seen[name] = value;
  }
  if (source !== undefined) seen.repostOf = `${source.owner_id}_${source.id}`;
  return { kind: 'post', postId: `${of.owner_id}_${of.id}`, post: seen };
}

const momentOf = ({ date, id }: VkPost): Moment => [date, id];
const isOlder = ({ date, id }: VkPost, [than, thanId]: Moment): boolean =>
  date < than || (date === than && id < thanId);
const newestFirst = (a: VkPost, b: VkPost): number => b.date - a.date || b.id - a.id;

function cursorOf({ cursors }: CallContent, owner: string): Cursor {
  return storedCursor(cursors, owner, cursorShape) ?? BEGINNING;
}
