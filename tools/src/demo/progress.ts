import type { ImportView, SimulatorStats } from '@sociograph/api-client';

const BAR_WIDTH = 28;

export interface ProgressInput {
  view: ImportView;
  /** Calls per second that the keys' limits allow together. */
  limitPerSecond: number;
  /** Calls served in the last interval, per second. */
  ratePerSecond: number;
  elapsedMs: number;
}

/** The line of progress. No percentage before the frontier is closed: until then nobody knows the whole. */
export function progressLine({ view, limitPerSecond, ratePerSecond, elapsedMs }: ProgressInput): string {
  const { people, lists, calls, friendshipObservations } = view.counters;
  const done = people.done + lists.done;
  const known = people.known + lists.known;
  const share = known === 0 ? 0 : done / known;
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '·'.repeat(BAR_WIDTH - filled);
  const parts = [
    `${(elapsedMs / 1000).toFixed(1).padStart(5)} s`,
    bar,
    `${calls.made} calls`,
    `${people.done}/${people.known} people`,
    `${friendshipObservations} friendships seen`,
    `${ratePerSecond.toFixed(1)}/${limitPerSecond} calls/s`,
    outlook(view, share, etaSeconds(done, known, elapsedMs)),
  ];
  return parts.join('  ');
}

function outlook({ state, frontierClosed }: ImportView, share: number, eta: string): string {
  if (state === 'settling') return 'all fetched, the views catch up';
  return frontierClosed ? `${Math.floor(share * 100)} %, ETA ${eta} s` : 'still growing';
}

function etaSeconds(done: number, known: number, elapsedMs: number): string {
  if (done === 0) return '?';
  return (((known - done) * elapsedMs) / done / 1000).toFixed(0);
}

/** Share of keys x limit that was used between the first and the last call. */
export function quotaUsed({ totals }: SimulatorStats, limitPerSecond: number): number | undefined {
  return totals.seconds > 0 ? totals.served / (limitPerSecond * totals.seconds) : undefined;
}
