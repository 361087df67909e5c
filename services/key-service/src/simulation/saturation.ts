import type { AftermathParts } from './aftermath';
import type { Questions } from './questions';
import { budgetsOf, WORKSPACES } from './scenario';

const SECOND = 1_000_000;
const SATURATED = 3 * SECOND;
/** Who was denied asks again when it was told to; slots come within reach a horizon (120 ms) ahead. */
const LONGEST_MS = 150;
const SHORTEST_MS = 8;

type Parts = AftermathParts & { ask: Questions };

/** Nothing disturbs: every key is used as far as its windows allow, and a slot given back is granted again. */
export async function keysAreUsed({ ask, world, owner, watch, scenario }: Parts): Promise<void> {
  const chargedMs = await ask.chargedMs();
  await ask.wait(3 * SECOND);
  const ofBuckets = new Map<string, number>();
  const given = { keyId: '', slot: Infinity, again: false };
  const hasBudget = (keyId: string): boolean => budgetsOf(owner.key(keyId).details.limits).length > 0;
  const from = world.time.micros;
  while (world.time.micros < from + SATURATED) {
    let inMs = LONGEST_MS;
    for (const egress of scenario.egresses) {
      for (const workspaceId of WORKSPACES) {
        for (;;) {
          const { verdict, leaseId } = await ask.grant(workspaceId, 'users.get', egress);
          if (verdict.kind === 'denied') {
            inMs = Math.min(inMs, verdict.retryAt - verdict.poolNow);
            break;
          }
          const { keyId, fence } = verdict.grant;
          const slot = verdict.grant.slots[0] as number;
          if (given.keyId === keyId && slot <= given.slot) given.again = true;
          count(ofBuckets, owner.key(keyId).details.bucket);
          if (given.keyId === '' && slot - verdict.poolNow > 100 && !hasBudget(keyId)) {
            Object.assign(given, { keyId, slot });
            const reports = [{ slot: 0, outcome: 'unsent' as const }];
            await ask.settle([{ leaseId, fence, workspaceId, reports }]);
          }
        }
      }
    }
    await ask.wait(Math.max(SHORTEST_MS, inMs) * 1000);
  }
  // Where addresses are limited, another key may have had its place in that limit.
  const isLimited = scenario.rules.egressQuota !== undefined;
  if (given.keyId !== '' && !given.again && !isLimited)
    world.broken('slot-given-back-not-granted', given.keyId);
  const least = (perSecond: number): number => Math.floor((SATURATED / 1000 / chargedMs) * perSecond) - 2;
  const isLess = (slots: number, perSecond: number, what: string): void => {
    if (slots < least(perSecond))
      world.broken(
        'key-idles',
        `${what}: ${slots} slots in ${SATURATED / SECOND} s, ${least(perSecond)} fit`,
      );
  };
  const plans = scenario.keys.filter(({ id }) => !hasBudget(id));
  const quotaOf = (id: string): number =>
    Math.max(1, owner.key(id).details.limits.perSecond - (watch.lowered.has(id) ? 1 : 0));
  for (const { id } of plans) {
    const { bucket } = owner.key(id).details;
    isLess(ofBuckets.get(bucket) ?? 0, quotaOf(id), bucket);
  }
}

function count(of: Map<string, number>, name: string): void {
  of.set(name, (of.get(name) ?? 0) + 1);
}
