import { isMissed, type Line, short, tableOf } from './report';

const fast: Line = { what: 'changes', value: 200_000, unit: 'edges/s', bar: { least: 200_000 } };
const fresh: Line = { what: 'p99', value: 250.1, unit: 'ms', bar: { most: 250 } };

describe('report of bench:graph', () => {
  it('keeps a bar that is met exactly, and misses one by a little', () => {
    expect([fast, { ...fast, value: 199_999 }, { ...fresh, value: 250 }, fresh].map(isMissed)).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('misses a bar for which nothing was measured', () => {
    expect(
      [
        { ...fast, value: NaN },
        { ...fresh, value: NaN },
        { what: '', value: NaN, unit: '' },
      ].map(isMissed),
    ).toEqual([true, true, false]);
  });

  it('compares speeds and sizes with a peer in the direction that is good', () => {
    const lines = [
      { ...fast, peer: { name: 'graphology', value: 50_000 } },
      { ...fresh, peer: { name: 'igraph', value: 500.2 } },
      { what: 'memory', value: 40, unit: 'MB' },
    ];
    expect(tableOf(lines).split('\n').slice(2)).toEqual([
      '| changes | 200000 edges/s | >= 200000 | kept | graphology: 50000 | 4 x |',
      '| p99 | 250 ms | <= 250 | MISSED | igraph: 500 | 2 x |',
      '| memory | 40 MB |  |  |  |  |',
    ]);
  });

  it('shows three digits', () => {
    expect([1234.5, 99.94, 9.876, 7, NaN].map(short)).toEqual(['1235', '99.9', '9.88', '7', 'none']);
  });
});
