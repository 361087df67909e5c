import { aSpan } from '../../test/a-span';
import type { StoredSpan } from './stored-span';
import { treeOf } from './trace-tree';

const shapeOf = (spans: readonly StoredSpan[]) =>
  treeOf(spans).map(({ span, depth, flaw }) => [span.name, depth, flaw]);

describe('the tree of a trace', () => {
  it('has children under their parents, siblings by their start, in whatever order they came', () => {
    const spans = [
      aSpan(4, 2),
      aSpan(3, 1, { startMs: 1_005 }),
      aSpan(1),
      aSpan(2, 1, { startMs: 1_002 }),
      aSpan(5, 3),
    ];
    const expected = [
      ['span 1', 0, undefined],
      ['span 2', 1, undefined],
      ['span 4', 2, undefined],
      ['span 3', 1, undefined],
      ['span 5', 2, undefined],
    ];
    expect(shapeOf(spans)).toEqual(expected);
    expect(shapeOf(spans.reverse())).toEqual(expected);
  });

  it('puts the longer one of two that began together first, then goes by id', () => {
    const spans = [aSpan(1), aSpan(2, undefined, { endMs: 1_020 }), aSpan(3)];
    expect(shapeOf(spans).map(([name]) => name)).toEqual(['span 2', 'span 1', 'span 3']);
  });

  it('says which siblings follow, for the branches', () => {
    const follows = treeOf([aSpan(1), aSpan(2, 1), aSpan(3, 2), aSpan(4, 1)]).map((row) => row.follows);
    expect(follows).toEqual([[false], [false, true], [false, true, false], [false, false]]);
  });

  it('makes a root of a span whose parent is missing, with all below it', () => {
    expect(shapeOf([aSpan(2, 1, { startMs: 999 }), aSpan(3, 2), aSpan(5)])).toEqual([
      ['span 2', 0, 'orphan'],
      ['span 3', 1, undefined],
      ['span 5', 0, undefined],
    ]);
  });

  it.each([
    ['its own parent', [aSpan(1), aSpan(2, 2)], [['span 2', 0, 'circle']]],
    [
      'parents of each other, with a child',
      [aSpan(1), aSpan(2, 3), aSpan(3, 2), aSpan(4, 3)],
      [
        ['span 2', 0, 'circle'],
        ['span 3', 0, 'circle'],
        ['span 4', 0, 'circle'],
      ],
    ],
  ])('refuses spans that are %s', (_what, spans, circle) => {
    expect(shapeOf(spans)).toEqual([['span 1', 0, undefined], ...circle]);
  });

  it('counts a span that came twice once, as it came last', () => {
    expect(shapeOf([aSpan(1), aSpan(2, 1), aSpan(1, undefined, { name: 'again' })])).toEqual([
      ['again', 0, undefined],
      ['span 2', 1, undefined],
    ]);
  });

  it('bears a chain that is deeper than calls can be', () => {
    const chain = Array.from({ length: 3_000 }, (_, n) => aSpan(n + 1, n === 0 ? undefined : n));
    expect(treeOf(chain).at(-1)).toMatchObject({ depth: 2_999, flaw: undefined });
  });
});
