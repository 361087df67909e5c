import {
  fateOf,
  gaveUp,
  type ItemOutcome,
  KEY_FAULTS_AT_ONCE,
  MAX_KEY_FAULTS,
  MAX_TRIES,
  MOVED,
  type Rest,
  UNREADABLE_TRIES,
  waitAfter,
  WALKS_OF_LIST,
} from './items';

const item = (attempts = 1, keyFaults = 0) => ({ person: '7', depth: 0, attempts, keyFaults });

describe('the fate of an item', () => {
  it.each<[string, ItemOutcome, unknown]>([
    [
      'a profile',
      { kind: 'profile', state: 'active', profile: { firstName: 'A', lastName: 'B' } },
      { kind: 'done' },
    ],
    ['a whole list', { kind: 'list', friendIds: ['1', '2'], total: 2 }, { kind: 'done' }],
    ['an empty list', { kind: 'list', friendIds: [], total: 0 }, { kind: 'done' }],
    [
      'a list with more than was promised',
      { kind: 'list', friendIds: ['1', '2'], total: 1 },
      { kind: 'done' },
    ],
    [
      'a list that lacks one',
      { kind: 'list', friendIds: ['1', '2'], total: 3 },
      { kind: 'gap', cause: 'partial', detail: '2 of 3' },
    ],
    ['a list of many pages', { kind: 'too-long' }, { kind: 'long' }],
    [
      'a private person',
      { kind: 'absent', cause: 'private' },
      { kind: 'gap', cause: 'private', detail: null },
    ],
    [
      'a deleted person',
      { kind: 'absent', cause: 'deleted' },
      { kind: 'gap', cause: 'deleted', detail: null },
    ],
    [
      'a fault of the key',
      { kind: 'again', blame: 'key', cause: 'error 6' },
      { kind: 'again', readyInMs: 0, refund: true, cause: 'error 6' },
    ],
    [
      'a fault of its own',
      { kind: 'again', blame: 'item', cause: 'error 10' },
      { kind: 'again', readyInMs: 1_000, refund: false, cause: 'error 10' },
    ],
  ])('after %s is decided at once', (_name, outcome, fate) => {
    expect(fateOf(item(), outcome)).toEqual(fate);
  });

  const seen = (rest: Rest): ItemOutcome => ({ kind: 'seen', observations: [], met: [], rest });

  it('that is read in parts goes on at the cursor, is done, or lacks something', () => {
    expect(fateOf(item(), seen({ kind: 'none' }))).toEqual({ kind: 'done' });
    expect(fateOf(item(7), seen({ kind: 'more', cursor: 'c' }))).toEqual({ kind: 'more', cursor: 'c' });
    expect(fateOf(item(), seen({ kind: 'partial', detail: '3 of 4' }))).toEqual({
      kind: 'gap',
      cause: 'partial',
      detail: '3 of 4',
    });
  });

  it('that moved while it was read is read three times', () => {
    const moved: ItemOutcome = { kind: 'moved', friendIds: ['1'], total: 2 };
    expect([1, 2].map((attempts) => fateOf(item(attempts), moved))).toEqual(
      [0, 0].map((readyInMs) => ({ kind: 'again', readyInMs, refund: false, cause: MOVED })),
    );
    expect(fateOf(item(WALKS_OF_LIST), moved)).toEqual({ kind: 'gap', cause: 'partial', detail: MOVED });
    expect(WALKS_OF_LIST).toBe(3);
  });

  it('whose answer cannot be read is tried three times, then a gap that names the field', () => {
    const unreadable: ItemOutcome = { kind: 'unreadable', fault: 'response[0].items: expected array' };
    expect([1, 2].map((attempts) => fateOf(item(attempts), unreadable))).toEqual(
      [1_000, 2_000].map((readyInMs) => ({
        kind: 'again',
        readyInMs,
        refund: false,
        cause: 'unreadable answer: response[0].items: expected array',
      })),
    );
    expect(fateOf(item(UNREADABLE_TRIES), unreadable)).toEqual({
      kind: 'gap',
      cause: 'unreadable',
      detail: 'response[0].items: expected array',
    });
    expect(UNREADABLE_TRIES).toBe(3);
  });

  it('is given up at the last try, which a fault of a key is not', () => {
    const own = { kind: 'again', blame: 'item', cause: 'error 10' } as const;
    expect(fateOf(item(MAX_TRIES - 1), own).kind).toBe('again');
    expect(fateOf(item(MAX_TRIES), own)).toEqual({
      kind: 'gap',
      cause: 'gave-up',
      detail: 'after 8 tries: error 10',
    });
    expect(fateOf(item(MAX_TRIES), { ...own, blame: 'key' }).kind).toBe('again');
    expect(gaveUp(9, 'why')).toEqual({ kind: 'gap', cause: 'gave-up', detail: 'after 9 tries: why' });
  });

  it('costs time after ten faults of keys and is given up after forty', () => {
    const again = (keyFaults: number) =>
      fateOf(item(1, keyFaults), { kind: 'again', blame: 'key', cause: 'error 6' });
    expect([KEY_FAULTS_AT_ONCE, MAX_KEY_FAULTS]).toEqual([10, 40]);
    expect([0, 9, 10, 11, 38].map((faults) => again(faults))).toEqual(
      [0, 0, 1_000, 2_000, 60_000].map((readyInMs) => ({
        kind: 'again',
        readyInMs,
        refund: true,
        cause: 'error 6',
      })),
    );
    expect(again(39)).toEqual({ kind: 'gap', cause: 'gave-up', detail: 'after 40 faults of keys: error 6' });
  });

  it('waits longer after each try, at most a minute', () => {
    expect([0, 1, 2, 3, 6, 7, 8, 30].map(waitAfter)).toEqual([
      1_000, 1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000,
    ]);
  });
});
