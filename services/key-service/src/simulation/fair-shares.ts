import type { AcquireVerdict } from '../application/acquire-lease';
import type { AftermathParts } from './aftermath';
import type { KeyServiceProcess } from './key-service-process';
import type { Questions } from './questions';

const SECOND = 1_000_000;
const PLAYED = 5 * SECOND;
/** Requests that wait at once, and of how many imports. */
const WHALE = { workspaceId: 'demo', requests: 16, imports: 3 };
const MINNOW = { workspaceId: 'other', requests: 4, imports: 1 };
const DEADLINE_MS = 5_000;
/** Measured: a minnow that asks another key-service than the whale has 0.35 to 1.1 of its share in five seconds. */
const LEAST_SHARE = 0.3;

type Parts = AftermathParts & { ask: Questions };
type Side = typeof WHALE;

/**
 * A whale with many requests and a minnow with few share keys, each asking another key-service: both have what is fair.
 * That is half of all slots, or as many as the keys that one of them may use have, if those are fewer.
 */
export async function sharesAreFair({ ask, world, owner, watch, scenario, services }: Parts): Promise<void> {
  const { time } = world;
  if (scenario.keys.some(({ bucket }) => bucket !== undefined)) return;
  const chargedMs = await ask.chargedMs();
  await ask.wait(3 * SECOND);
  const until = time.micros + PLAYED;
  const granted = new Map<string, number>();
  const [one, other] = services();
  const sides: [Side, KeyServiceProcess][] = [
    [WHALE, one as KeyServiceProcess],
    [MINNOW, other ?? (one as KeyServiceProcess)],
  ];
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
        // The whale has more that waits at the end.
        if (time.micros > until) return;
        granted.set(side.workspaceId, (granted.get(side.workspaceId) ?? 0) + 1);
        again(0);
      });
  };
  for (const [side, service] of sides)
    for (let index = 0; index < side.requests; index += 1) loop(side, service, index);
  time.woke();
  await ask.wait(PLAYED + DEADLINE_MS * 1000);
  const slots = (side: Side | undefined): number =>
    owner.keys
      .filter(({ details }) => {
        const reached = [WHALE, MINNOW].filter(({ workspaceId }) =>
          [details.workspaceId as string, ...details.sharedWith].includes(workspaceId),
        );
        return side === undefined ? reached.length === 2 : reached.length === 1 && reached[0] === side;
      })
      .reduce((sum, { id, details }) => sum + details.limits.perSecond - (watch.lowered.has(id) ? 1 : 0), 0) *
    (PLAYED / 1000 / chargedMs);
  const shared = slots(undefined);
  for (const [side] of sides) {
    const own = slots(side);
    const half = (shared + slots(WHALE) + slots(MINNOW)) / 2;
    const fair = Math.min(own + shared, Math.max(own, half));
    const had = granted.get(side.workspaceId) ?? 0;
    world.note('share', side.workspaceId, had, fair);
    if (had < LEAST_SHARE * fair - 3)
      world.broken('unfair-share', `${side.workspaceId} had ${had} slots, ${fair.toFixed(1)} are fair`);
  }
}
