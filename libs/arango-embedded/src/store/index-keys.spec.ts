import { compareValues } from '../aql/values';
import { afterPrefix, encodeIndexKey, indexable } from './index-keys';

describe('index keys', () => {
  const values = [
    null,
    false,
    true,
    -1e300,
    -2.5,
    -1,
    -Number.MIN_VALUE,
    0,
    Number.MIN_VALUE,
    0.5,
    1,
    2,
    1e21,
    '',
    '\0',
    '\0a',
    'A',
    'a',
    'a\0',
    'aa',
    'b',
  ];

  it('order like the values', () => {
    for (const a of values) {
      for (const b of values) {
        const expected = Math.sign(compareValues(a, b));
        expect([a, b, Math.sign(Buffer.compare(encodeIndexKey([a]), encodeIndexKey([b])))]).toEqual([
          a,
          b,
          expected,
        ]);
      }
    }
  });

  it('keep fields apart', () => {
    expect(encodeIndexKey(['a', 'b']).equals(encodeIndexKey(['ab', '']))).toBe(false);
    expect(encodeIndexKey([-0]).equals(encodeIndexKey([0]))).toBe(true);
    expect(encodeIndexKey([undefined]).equals(encodeIndexKey([null]))).toBe(true);
    const prefix = encodeIndexKey(['a']);
    expect(Buffer.compare(encodeIndexKey(['a', 'zzz']), afterPrefix(prefix))).toBe(-1);
    expect(Buffer.compare(encodeIndexKey(['b']), afterPrefix(prefix))).toBe(1);
  });

  it('refuse what they cannot order', () => {
    expect([null, undefined, 1, 'a', true].every(indexable)).toBe(true);
    expect([[], {}].some(indexable)).toBe(false);
    expect(() => encodeIndexKey([{}])).toThrow('not supported');
    expect(() => encodeIndexKey(['x'.repeat(601)])).toThrow('not supported');
    expect(encodeIndexKey(['x'.repeat(600)]).length).toBe(602);
  });
});
