import { ProgressDisplay, progressLine } from './import-progress';
import type { ImportView } from './views';

const view: ImportView = {
  id: 'i',
  state: 'running',
  counters: {
    people: { known: 100, done: 50 },
    lists: { known: 100, done: 25 },
    calls: { made: 7 },
    friendshipObservations: 1234,
  },
  frontierClosed: false,
};
const input = { view, rate: { perSecond: 57.25, limitPerSecond: 60 }, elapsedMs: 3000 };

describe('the line of progress', () => {
  it('shows calls, people, friendships and the rate against the limit', () => {
    expect(progressLine(input)).toBe(
      '  3.0 s  ██████████··················  7 calls  50/100 people  1234 friendships seen  57.3/60 calls/s  still growing',
    );
  });

  it('leaves the rate out where nobody knows it, and shows every other kind that is counted', () => {
    const counters = { ...view.counters, walls: { known: 4, done: 1 }, groups: { known: 0, done: 0 } };
    expect(progressLine({ view: { ...view, counters }, elapsedMs: 3000 })).toBe(
      '  3.0 s  ██████████··················  7 calls  50/100 people  1/4 walls  1234 friendships seen  still growing',
    );
  });

  it('shows a percentage and the time left only once the frontier is closed', () => {
    expect(progressLine({ ...input, view: { ...view, frontierClosed: true } })).toMatch(/37 %, ETA 5 s$/);
    expect(progressLine({ ...input, view: { ...view, frontierClosed: true, etaMs: 61_000 } })).toMatch(
      /37 %, ETA 61 s$/,
    );
  });

  it.each([
    ['settling', 'all fetched, the views catch up'],
    ['paused', 'paused'],
    ['queued', 'queued'],
  ] as const)('says when it is %s', (state, outlook) => {
    expect(progressLine({ ...input, view: { ...view, state, frontierClosed: true } }).endsWith(outlook)).toBe(
      true,
    );
  });

  it('does not divide by nothing', () => {
    const counters = { ...view.counters, people: { known: 0, done: 0 }, lists: { known: 0, done: 0 } };
    const empty = { ...view, counters, frontierClosed: true };
    expect(progressLine({ ...input, view: empty })).toMatch(/0 %, ETA \? s$/);
  });
});

describe('the display of progress', () => {
  const aSink = (isTTY: boolean, columns?: number) => {
    const written: string[] = [];
    return { written, isTTY, ...(columns && { columns }), write: (text: string) => written.push(text) };
  };

  it('draws one line over the other on a terminal, no longer than it is wide', () => {
    const sink = aSink(true, 3);
    const display = new ProgressDisplay(sink, () => 0);
    display.show('█ab', false);
    display.show('█abcd', true);
    display.end();
    display.end();
    expect(sink.written).toEqual(['\r\u001b[2K█ab', '\r\u001b[2K█ab', '\n']);
  });

  it('prints a line every five seconds elsewhere, and the last one', () => {
    const sink = aSink(false);
    let now = 100;
    const display = new ProgressDisplay(sink, () => now);
    const at = (ms: number, line: string, last = false): void => {
      now = 100 + ms;
      display.show(line, last);
    };
    at(0, 'a');
    at(4999, 'b');
    at(5000, 'c');
    at(6000, 'd', true);
    display.end();
    expect(sink.written).toEqual(['a\n', 'c\n', 'd\n']);
  });
});
