import type { Randomness } from '@sociograph/kernel';

const EARLY_SHARE = 0.1;
const EARLY_LEAST_MS = 60_000;

/**
 * When a token that ends at `expiresAt` is to be refreshed (Unix ms): a tenth of its life before that, at least a
 * minute, and by chance up to twice as early, so that keys that came together are not refreshed together. Never before
 * half of its life is over: tokens that live for less than two minutes would else be refreshed all the time.
 */
export function refreshMoment(now: number, expiresAt: number, chance: Randomness): number {
  const life = Math.max(0, expiresAt - now);
  const early = Math.max(EARLY_LEAST_MS, life * EARLY_SHARE) * (1 + chance.next());
  return now + Math.max(life / 2, life - early);
}
