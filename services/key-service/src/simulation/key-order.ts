import type { AftermathParts } from './aftermath';
import type { Questions } from './questions';

const SECOND = 1_000_000;
const WORKSPACE = 'demo';
/** From the grant to the first slot of an idle key: the lead, and what keeps keys out of phase. */
const AT_ONCE_MS = 10 + 25 + 1;

type Parts = AftermathParts & { ask: Questions };

/**
 * A memory that knows of no use of any key, and one request at a time with every key idle: the strategy alone decides,
 * and no call waits for the sake of an order.
 */
export async function followsItsOrder({ ask, world, owner, server, watch, scenario }: Parts): Promise<void> {
  const strategy = scenario.rules.strategy ?? 'earliest-free';
  watch.forgotten();
  server.flushAll();
  const keys = owner.keys.filter(({ details }) => details.workspaceId === WORKSPACE);
  if (new Set(keys.map(({ details }) => details.bucket)).size < keys.length) return;
  const weights = keys.reduce((sum, { details }) => sum + details.weight, 0);
  const wanted = strategy === 'weighted' ? 2 * weights : 3 * keys.length;
  const order: string[] = [];
  const until = world.time.micros + (wanted + 30) * 2 * SECOND;
  while (order.length < wanted) {
    const { verdict } = await ask.grant(WORKSPACE, 'users.get', 'default');
    if (verdict.kind === 'granted') {
      const { keyId, slots, why, grantedAt } = verdict.grant;
      order.push(keyId);
      if (!why.startsWith(`${strategy}; `)) world.broken('another-strategy', `${why} instead of ${strategy}`);
      if (scenario.counting === 'sliding' && (slots[0] as number) > grantedAt + AT_ONCE_MS)
        world.broken('waits-for-its-order', `${((slots[0] as number) - grantedAt).toFixed(1)} ms, ${why}`);
    } else if (world.time.micros > until) {
      world.broken('no-memory-again', `${order.length} of ${wanted} grants`);
      return;
    }
    await ask.wait(1.6 * SECOND);
  }
  // The earliest free one of idle keys is the same one each time.
  if (strategy === 'earliest-free') return;
  const counts = keys.map(({ id }) => order.filter((used) => used === id).length);
  keys.forEach(({ id, details }, index) => {
    const share = strategy === 'weighted' ? (wanted * details.weight) / weights : wanted / keys.length;
    const off = Math.abs((counts[index] as number) - share);
    if (off > (strategy === 'weighted' ? 1.5 : 0))
      world.broken(
        'order-not-kept',
        `${strategy}: ${id} ${counts[index]} times, ${share.toFixed(1)} are its share`,
      );
  });
}
