import { QuietFetches } from './quiet-fetches';

describe('QuietFetches', () => {
  it('is quiet when three fetches in a row were over without anything', () => {
    const fetches = new QuietFetches();
    expect([1, 2, 3, 4, 5].map(() => fetches.begins(0))).toEqual([false, false, false, true, true]);
  });

  it('begins anew when something comes, the fetch that brought it not counted', () => {
    const fetches = new QuietFetches();
    for (let i = 0; i < 4; i++) fetches.begins(0);
    fetches.broken();
    expect([1, 2, 3, 4].map(() => fetches.begins(0))).toEqual([false, false, false, true]);
  });

  it('waits for every broker, and something from one of them counts for all', () => {
    const fetches = new QuietFetches();
    for (let i = 0; i < 5; i++) fetches.begins(0);
    expect([1, 2, 3].map(() => fetches.begins(1))).toEqual([false, false, false]);
    expect(fetches.begins(1)).toBe(true);
    fetches.broken();
    for (let i = 0; i < 4; i++) fetches.begins(1);
    expect(fetches.begins(1)).toBe(false);
    for (let i = 0; i < 3; i++) expect(fetches.begins(0)).toBe(false);
    expect(fetches.begins(0)).toBe(true);
  });

  it('holds when as many brokers answered as lead partitions, and not for fetches that nobody answered', () => {
    const fetches = new QuietFetches();
    for (let i = 0; i < 4; i++) fetches.begins(0);
    expect(fetches.holds(1)).toBe(false);
    for (let i = 0; i < 3; i++) fetches.answered('kafka-0:9092');
    expect([fetches.holds(1), fetches.holds(2)]).toEqual([true, false]);
    for (let i = 0; i < 2; i++) fetches.answered('kafka-1:9092');
    expect(fetches.holds(2)).toBe(false);
    fetches.answered('kafka-1:9092');
    expect(fetches.holds(2)).toBe(true);
    fetches.broken();
    for (let i = 0; i < 4; i++) fetches.begins(0);
    expect(fetches.holds(1)).toBe(false);
  });
});
