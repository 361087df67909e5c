import type { Counted, ImportView } from './views';

const BAR_WIDTH = 28;
/** Lines of progress where the output is no terminal and a bar cannot be redrawn. */
const PLAIN_LINE_EVERY_MS = 5_000;

export interface ProgressInput {
  view: ImportView;
  /** Since the watching began. */
  elapsedMs: number;
  /** Calls a second of the last interval and what the keys allow together, where that is known. */
  rate?: { perSecond: number; limitPerSecond: number };
}

/** The line of progress. No percentage before the frontier is closed: until then nobody knows the whole. */
export function progressLine({ view, elapsedMs, rate }: ProgressInput): string {
  const { calls, friendshipObservations } = view.counters;
  const items = countedIn(view);
  const done = items.reduce((sum, [, count]) => sum + count.done, 0);
  const known = items.reduce((sum, [, count]) => sum + count.known, 0);
  const share = known === 0 ? 0 : done / known;
  const filled = Math.floor(share * BAR_WIDTH);
  const parts = [
    `${(elapsedMs / 1000).toFixed(1).padStart(5)} s`,
    '█'.repeat(filled) + '·'.repeat(BAR_WIDTH - filled),
    `${calls.made} calls`,
    ...items
      .filter(([name, count]) => name === 'people' || (name !== 'lists' && count.known > 0))
      .map(([name, count]) => `${count.done}/${count.known} ${name}`),
    `${friendshipObservations} friendships seen`,
    ...(rate === undefined ? [] : [`${rate.perSecond.toFixed(1)}/${rate.limitPerSecond} calls/s`]),
    outlook(view, share, etaSeconds(view, done, known, elapsedMs)),
  ];
  return parts.join('  ');
}

/** Draws lines over one another on a terminal; elsewhere prints one every five seconds, and the last. */
export class ProgressDisplay {
  private lastPlainAt = -Infinity;
  private drawn = false;

  constructor(
    private readonly out: { write(text: string): unknown; isTTY?: boolean; columns?: number },
    private readonly now: () => number = () => performance.now(),
  ) {}

  show(line: string, last: boolean): void {
    if (this.out.isTTY === true) {
      this.drawn = true;
      this.out.write(`\r\u001b[2K${[...line].slice(0, this.out.columns || 200).join('')}`);
    } else if (last || this.now() - this.lastPlainAt >= PLAIN_LINE_EVERY_MS) {
      this.lastPlainAt = this.now();
      this.out.write(`${line}\n`);
    }
  }

  /** Leaves the line that was drawn, so that what follows begins on the next. */
  end(): void {
    if (this.drawn) this.out.write('\n');
    this.drawn = false;
  }
}

/** Each kind of item that the import counts, in the order of the answer. */
function countedIn({ counters }: ImportView): [string, Counted][] {
  return Object.entries(counters).filter((entry): entry is [string, Counted] => {
    const count = entry[1] as Partial<Counted>;
    return typeof count === 'object' && count.known !== undefined && count.done !== undefined;
  });
}

function outlook({ state, frontierClosed }: ImportView, share: number, eta: string): string {
  if (state === 'paused' || state === 'queued') return state;
  if (state === 'settling') return 'all fetched, the views catch up';
  return frontierClosed ? `${Math.floor(share * 100)} %, ETA ${eta} s` : 'still growing';
}

function etaSeconds({ etaMs }: ImportView, done: number, known: number, elapsedMs: number): string {
  if (typeof etaMs === 'number') return (etaMs / 1000).toFixed(0);
  if (done === 0) return '?';
  return (((known - done) * elapsedMs) / done / 1000).toFixed(0);
}
