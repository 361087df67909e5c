import { seeded } from '@sociograph/testing';
import {
  type Cell,
  chosenBy,
  KINDS,
  MATRIX,
  planOf,
  PROCESSES,
  SERVERS,
  type Step,
  wordsOf,
} from './fault-plan';

const first = (count: number, seed: number, cells: readonly Cell[] = MATRIX): Step[] => {
  const plan = planOf(seeded(seed), cells);
  return Array.from({ length: count }, () => plan.next().value);
};
const cellOf = ({ fault }: Step): string => `${fault.kind} ${fault.target}`;

describe('the matrix of faults', () => {
  it('has three faults of each process and six of each server', () => {
    expect(MATRIX).toHaveLength(3 * PROCESSES.length + 6 * SERVERS.length);
    expect(new Set(MATRIX.map(({ kind }) => kind))).toEqual(new Set(KINDS));
  });

  it.each([
    ['kill', 7],
    ['kafka', 6],
    ['parser-service', 3],
    ['parser-service-0', 3],
    ['stall:kafka', 1],
    ['kill:key-service', 1],
    ['kill:kafka', 0],
    ['nothing', 0],
  ])('lets %s choose %s cells', (word, count) => {
    expect(chosenBy(word)).toHaveLength(count);
  });
});

describe('a plan of faults', () => {
  it('is the same for the same seed and another for another', () => {
    expect(first(100, 7)).toEqual(first(100, 7));
    expect(first(100, 7)).not.toEqual(first(100, 8));
  });

  it('plays every cell once before it plays one again, in another order', () => {
    const steps = first(2 * MATRIX.length, 3);
    const rounds = [steps.slice(0, MATRIX.length), steps.slice(MATRIX.length)].map((round) =>
      round.map(cellOf),
    );
    for (const round of rounds) expect(new Set(round).size).toBe(MATRIX.length);
    expect(rounds[0]).not.toEqual(rounds[1]);
  });

  it.each([1, 2, 3])('draws times within their bounds (seed %s)', (seed) => {
    for (const { fault, pauseMs } of first(300, seed)) {
      expect(pauseMs).toBeGreaterThanOrEqual(1_000);
      expect(pauseMs).toBeLessThanOrEqual(4_000);
      if ('awayMs' in fault) expect(fault.awayMs).toBeLessThanOrEqual(6_000);
      if (fault.kind === 'freeze') expect(fault.forMs).toBeLessThanOrEqual(15_000);
      if (fault.kind === 'delay') expect(fault.byMs).toBeLessThanOrEqual(150);
    }
  });

  it('refuses to be made of nothing', () => {
    expect(() => planOf(seeded(1), []).next()).toThrow('no fault was chosen');
  });
});

it.each([
  [{ kind: 'kill', target: 'gateway' } as const, 'kill gateway'],
  [{ kind: 'stall', target: 'kafka', forMs: 3_210 } as const, 'stall kafka for 3.2 s'],
  [{ kind: 'crash', target: 'postgres', awayMs: 500 } as const, 'crash postgres, back after 0.5 s'],
  [{ kind: 'delay', target: 'kafka', byMs: 40, forMs: 3_000 } as const, 'delay kafka by 40 ms for 3.0 s'],
])('a fault in words: %j', (fault, words) => {
  expect(wordsOf(fault)).toBe(words);
});
