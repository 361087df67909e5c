import { IdIndex } from './id-index';

describe('IdIndex', () => {
  it('gives numbers in the order of naming, the same one for the same id', () => {
    const index = new IdIndex();
    expect(['7', 'durov', '0', '7', 'durov', '-7'].map((id) => index.intern(id))).toEqual([0, 1, 2, 0, 1, 3]);
    expect(index.size).toBe(4);
    expect(index.all()).toEqual(['7', 'durov', '0', '-7']);
    expect([0, 1, 2, 3].map((number) => index.nameOf(number))).toEqual(['7', 'durov', '0', '-7']);
    expect(['7', 'durov', '0', '-7'].map((id) => index.find(id))).toEqual([0, 1, 2, 3]);
  });

  it('keeps texts apart that spell the same number, and numbers too large for its table', () => {
    const texts = [
      '1', '01', '001', '10', '+1', '1.0', '1e1', ' 1', '', '00', '0',
      '4294967294', '4294967295', '4294967296', '9999999999', '10000000001', '1:', '1/', '٣',
    ]; // prettier-ignore
    const index = new IdIndex();
    expect(texts.map((text) => index.intern(text))).toEqual(texts.map((_, number) => number));
    expect(index.all()).toEqual(texts);
    expect(texts.map((text) => index.find(text))).toEqual(texts.map((_, number) => number));
  });

  it('knows nobody who was not named', () => {
    const index = new IdIndex();
    index.intern('1');
    expect([index.find('2'), index.find('x')]).toEqual([undefined, undefined]);
    expect(() => index.nameOf(1)).toThrow(RangeError);
  });

  it('finds everybody again in a large table, whatever the steps between the ids', () => {
    for (const step of [1, 64, 65536, 0x9e3779]) {
      const index = new IdIndex();
      const ids = Array.from({ length: 5000 }, (_, i) => String((i * step) % 4_294_967_291));
      const distinct = [...new Set(ids)];
      for (const id of ids) index.intern(id);
      expect(index.size).toBe(distinct.length);
      expect(distinct.every((id, number) => index.find(id) === number)).toBe(true);
      expect(index.all()).toEqual(distinct);
    }
  });
});
