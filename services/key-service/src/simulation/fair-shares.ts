import type { AcquireVerdict } from '../application/acquire-lease';
import type { AftermathParts } from './aftermath';
import type { KeyServiceProcess } from './key-service-process';
import type { Questions } from './questions';

const SECOND = 1_000_000;
/** Until what was dealt before both asked is over. */
const SETTLED = 1 * SECOND;
const PLAYED = 5 * SECOND;
const DEADLINE_MS = 2_000;
/** Requests that wait at once, and of how many imports: the minnow has two, so that one always waits. */
const WHALE = { workspaceId: 'demo', requests: 200, imports: 4 };
const MINNOW = { workspaceId: 'other', requests: 2, imports: 1 };

/**
 * Both always wait, so each is owed half of what the keys they share can give. Start-time fair queueing keeps two that
 * always wait within one call of each in any span; at the edges of the span one call of each may be counted or not.
 */
const LEAST_BEHIND = 2;

type Parts = AftermathParts & { ask: Questions };
type Side = typeof WHALE;

/**
 * A whale that asks for a hundred times as much as a minnow, of the same keys: all others are paused. Each asks a
 * key-service of its own, or both the same one.
 */
export async function sharesAreFair({ ask, world, owner, scenario, services }: Parts): Promise<void> {
  const { time, chance } = world;
  const paused = owner.keys.filter(({ details }) => {
    const users = [details.workspaceId as string, ...details.sharedWith];
    return ![WHALE, MINNOW].every(({ workspaceId }) => users.includes(workspaceId));
  });
  for (const { id } of paused) owner.become(id, 'paused');
  await ask.wait(3 * SECOND);
  const from = time.micros / 1000 + SETTLED / 1000;
  const until = time.micros + SETTLED + PLAYED;
  const had = new Map<string, number>();
  const one = chance.pick(services());
  const other = chance.flip(0.7) ? services().find((service) => service !== one) : undefined;
  const loop = (side: Side, service: KeyServiceProcess, index: number): void => {
    if (time.micros > until) return;
    const sequence = ask.next();
    const again = (inMs: number): void =>
      time.after(Math.max(0.2, inMs) * 1000, () => {
        loop(side, service, index);
        time.woke();
      });
    void service.desk
      .acquire({
        ...{ requestId: `fair-${sequence}`, service: 'parser-service', session: 'after', sequence },
        ...{ workspaceId: side.workspaceId, importId: `import-${index % side.imports}` },
        ...{ rules: scenario.rules, methods: { 'users.get': 1 }, calls: 1, egress: 'default' },
        deadlineAt: service.ledger.poolNow() + DEADLINE_MS,
      })
      .then((verdict: AcquireVerdict) => {
        if (verdict.kind === 'denied') return again(verdict.retryAt - verdict.poolNow);
        const slot = (verdict.grant.slots[0] as number) - verdict.poolNow + time.micros / 1000;
        if (slot >= from && slot * 1000 < until)
          had.set(side.workspaceId, (had.get(side.workspaceId) ?? 0) + 1);
        again(0);
      });
  };
  const sides: [Side, KeyServiceProcess][] = [
    [WHALE, one],
    [MINNOW, other ?? one],
  ];
  for (const [side, service] of sides)
    for (let index = 0; index < side.requests; index += 1) loop(side, service, index);
  time.woke();
  await ask.wait(SETTLED + PLAYED + DEADLINE_MS * 1000);
  for (const { id } of paused) owner.become(id, 'active');
  const [whale, minnow] = [had.get(WHALE.workspaceId) ?? 0, had.get(MINNOW.workspaceId) ?? 0];
  world.note('shares', whale, minnow);
  if (minnow < (whale + minnow) / 2 - LEAST_BEHIND)
    world.broken('unfair-share', `the minnow had ${minnow} slots beside ${whale} of the whale`);
}
