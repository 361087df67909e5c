import { tooContended } from '../domain/errors';
import type { SubscriptionWrites, Versioned } from '../domain/ports';
import { changeSubscription, type Subscription, type SubscriptionChange } from '../domain/subscription';
import { backOff, MAX_ATTEMPTS, type WritingTools } from './write-friendships';

/** Subscriptions of one bulk write, as with friendships. */
const KEYS_PER_WRITE = 4_000;

/** Changes sides of subscriptions in bulk; what another writer changed meanwhile is read and decided again. */
export async function writeSubscriptions(
  changes: readonly SubscriptionChange[],
  tools: WritingTools,
): Promise<void> {
  const wanted = new Map<string, SubscriptionChange[]>();
  for (const change of changes) wanted.set(change.key, [...(wanted.get(change.key) ?? []), change]);
  let pending = [...wanted.keys()];
  for (let attempt = 1; pending.length > 0; attempt++) {
    if (attempt > MAX_ATTEMPTS) throw tooContended(pending.length, attempt - 1);
    if (attempt > 1) await backOff(attempt - 1, tools);
    const lost: string[] = [];
    for (let at = 0; at < pending.length; at += KEYS_PER_WRITE) {
      if (at > 0) await tools.heartbeat();
      const keys = pending.slice(at, at + KEYS_PER_WRITE);
      const stored = await tools.store.communities.subscriptions(keys);
      lost.push(...(await send(plan(keys, wanted, stored), tools)));
    }
    pending = lost;
  }
}

function plan(
  keys: readonly string[],
  wanted: ReadonlyMap<string, SubscriptionChange[]>,
  stored: ReadonlyMap<string, Versioned<Subscription>>,
): SubscriptionWrites {
  const writes: SubscriptionWrites = { create: [], replace: [], remove: [] };
  for (const key of keys) {
    const before = stored.get(key);
    const after = changeSubscription(before, wanted.get(key) ?? []);
    if (after === before) continue;
    if (!before && after) writes.create.push(after);
    else if (before && after) writes.replace.push({ ...after, rev: before.rev });
    else if (before) writes.remove.push({ key, rev: before.rev });
  }
  return writes;
}

/** Keys that conflicted. */
async function send(writes: SubscriptionWrites, { store, meter }: WritingTools): Promise<string[]> {
  const { create, replace, remove } = writes;
  if (create.length + replace.length + remove.length === 0) return [];
  const { conflicts } = await store.communities.writeSubscriptions(writes);
  const lost = new Set(conflicts);
  const kept = (keys: { key: string }[]): number => keys.filter(({ key }) => !lost.has(key)).length;
  meter.subscriptions('created', kept(create));
  meter.subscriptions('changed', kept(replace));
  meter.subscriptions('removed', kept(remove));
  meter.conflicts('subscription', conflicts.length);
  return conflicts;
}
