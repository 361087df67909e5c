import type { Randomness } from '@sociograph/kernel';
import { tooContended } from '../domain/errors';
import { changeSides, type Friendship, type SideChange } from '../domain/friendship';
import { pastOf } from '../domain/past-friendship';
import type { EdgeWrites, GraphStore, Pause, StorageMeter, Versioned } from '../domain/ports';

/** After so many rounds of conflicts the whole batch is repeated instead. */
export const MAX_ATTEMPTS = 12;
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 200;
/** Friendships of one bulk write, about 2 MB: what else the store has to answer waits no longer than for these. */
const KEYS_PER_WRITE = 4_000;

export interface WritingTools {
  store: GraphStore;
  meter: StorageMeter;
  pause: Pause;
  randomness: Randomness;
  /** Says between the writes of a large batch that it is still being worked on. */
  heartbeat: () => Promise<void>;
}

/**
 * Changes sides of friendships in bulk. `known` must hold every stored friendship on which an added side is
 * missing; what turns out to be otherwise answers a conflict, is read again and decided again.
 * Returns the friendships as they are stored afterwards, for the keys that changed.
 */
export async function writeFriendships(
  changes: readonly SideChange[],
  known: ReadonlyMap<string, Versioned<Friendship>>,
  tools: WritingTools,
): Promise<Friendship[]> {
  const wanted = grouped(changes);
  const stored = new Map(known);
  const withdrawn = [...wanted]
    .filter(([, own]) => own.some(({ assertion }) => !assertion))
    .map(([key]) => key);
  if (withdrawn.length > 0) await refresh(withdrawn, stored, tools.store);
  const result = new Map<string, Friendship>();
  let pending = [...wanted.keys()];
  for (let attempt = 1; pending.length > 0; attempt++) {
    if (attempt > MAX_ATTEMPTS) throw tooContended(pending.length, attempt - 1);
    if (attempt > 1) {
      await backOff(attempt - 1, tools);
      await refresh(pending, stored, tools.store);
    }
    const lost: string[] = [];
    for (let at = 0; at < pending.length; at += KEYS_PER_WRITE) {
      if (at > 0) await tools.heartbeat();
      lost.push(...(await send(plan(pending.slice(at, at + KEYS_PER_WRITE), wanted, stored, result), tools)));
    }
    pending = lost;
  }
  return [...result.values()];
}

/** Waits before the next try: longer each time, and never in step with the other writer. */
export async function backOff(attempt: number, { pause, randomness }: WritingTools): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  await pause.wait(longest * (0.5 + randomness.next() / 2));
}

function plan(
  keys: readonly string[],
  wanted: ReadonlyMap<string, SideChange[]>,
  stored: ReadonlyMap<string, Versioned<Friendship>>,
  result: Map<string, Friendship>,
): EdgeWrites {
  const writes: EdgeWrites = { create: [], replace: [], remove: [] };
  for (const key of keys) {
    const before = stored.get(key);
    const changes = wanted.get(key) ?? [];
    const after = changeSides(before, changes);
    result.delete(key);
    if (after === before) continue;
    if (after) result.set(key, after);
    if (!before && after) writes.create.push(after);
    else if (before && after) writes.replace.push({ ...after, rev: before.rev });
    else if (before) writes.remove.push({ key, rev: before.rev, past: pastOf(withoutRev(before), changes) });
  }
  return writes;
}

function withoutRev({ rev: _, ...friendship }: Versioned<Friendship>): Friendship {
  return friendship;
}

/** Keys that conflicted. */
async function send(writes: EdgeWrites, { store, meter }: WritingTools): Promise<string[]> {
  if (writes.create.length + writes.replace.length + writes.remove.length === 0) return [];
  const { conflicts } = await store.writeFriendships(writes);
  const lost = new Set(conflicts);
  const kept = (keys: { key: string }[]): number => keys.filter(({ key }) => !lost.has(key)).length;
  meter.friendships('created', kept(writes.create));
  meter.friendships('changed', kept(writes.replace));
  meter.friendships('removed', kept(writes.remove));
  meter.conflicts('friendship', conflicts.length);
  return conflicts;
}

async function refresh(
  keys: readonly string[],
  stored: Map<string, Versioned<Friendship>>,
  store: GraphStore,
): Promise<void> {
  const found = await store.friendships(keys);
  for (const key of keys) {
    const current = found.get(key);
    if (current) stored.set(key, current);
    else stored.delete(key);
  }
}

function grouped(changes: readonly SideChange[]): Map<string, SideChange[]> {
  const groups = new Map<string, SideChange[]>();
  for (const change of changes) {
    const group = groups.get(change.key);
    if (group) group.push(change);
    else groups.set(change.key, [change]);
  }
  return groups;
}
