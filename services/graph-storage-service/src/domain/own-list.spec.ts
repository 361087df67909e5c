import { aList, stamp } from '../../test/builders';
import type { ListObservation } from './observation';
import {
  assertedBy,
  assertsTheSame,
  isComplete,
  isKnown,
  newestStamp,
  NOTHING_KNOWN,
  observe,
  type OwnList,
} from './own-list';

function after(...seen: ListObservation[]): OwnList {
  return seen.reduce((list, one) => observe(list, one).list, NOTHING_KNOWN);
}

const ids = (list: OwnList): string[] => [...assertedBy(list).keys()].sort();

describe('own list', () => {
  it('knows nothing before the first look', () => {
    expect(isKnown(NOTHING_KNOWN)).toBe(false);
    expect(isComplete(NOTHING_KNOWN)).toBe(false);
    expect(newestStamp(NOTHING_KNOWN)).toBeUndefined();
    expect(ids(NOTHING_KNOWN)).toEqual([]);
  });

  it.each<[string, ListObservation[], string[], boolean]>([
    ['a complete list is all of it', [aList(1, ['a', 'b'])], ['a', 'b'], true],
    ['an empty complete list is knowledge', [aList(1, [])], [], true],
    ['a newer complete list replaces', [aList(1, ['a', 'b']), aList(2, ['b', 'c'])], ['b', 'c'], true],
    ['an older complete list is late', [aList(2, ['b']), aList(1, ['a'])], ['b'], true],
    ['a partial list adds', [aList(1, ['a']), aList(2, ['b'], 'partial')], ['a', 'b'], true],
    ['a partial list alone is not complete', [aList(1, ['a'], 'partial')], ['a'], false],
    ['an older partial list is late', [aList(2, ['a']), aList(1, ['b'], 'partial')], ['a'], true],
    ['a partial list of the same moment is late', [aList(2, ['a']), aList(2, ['b'], 'partial')], ['a'], true],
    ['a complete list ends older additions', [aList(1, ['b'], 'partial'), aList(2, ['a'])], ['a'], true],
    [
      'a complete list keeps newer additions',
      [aList(3, ['b'], 'partial'), aList(2, ['a'])],
      ['a', 'b'],
      true,
    ],
    ['nothing seen changes nothing', [aList(1, ['a']), aList(2, ['z'], 'nothing')], ['a'], true],
    ['deletion ends the own assertions', [aList(1, ['a']), aList(2, [], 'deleted')], [], false],
    ['a person who comes back asserts again', [aList(1, [], 'deleted'), aList(2, ['a'])], ['a'], true],
    ['a late list does not undo a deletion', [aList(2, [], 'deleted'), aList(1, ['a'])], [], false],
  ])('%s', (_, seen, expected, complete) => {
    const list = after(...seen);
    expect(ids(list)).toEqual(expected);
    expect(isComplete(list)).toBe(complete);
    expect(isKnown(list)).toBe(true);
  });

  it.each<[string, ListObservation[], string]>([
    ['first', [aList(1, ['a'])], 'applied'],
    ['same content again, later', [aList(1, ['a']), aList(2, ['a'])], 'unchanged'],
    ['the very same', [aList(1, ['a']), aList(1, ['a'])], 'unchanged'],
    ['other content', [aList(1, ['a']), aList(2, ['b'])], 'applied'],
    ['one more id', [aList(1, ['a']), aList(2, ['a', 'b'])], 'applied'],
    ['older', [aList(2, ['a']), aList(1, ['b'])], 'late'],
    ['older partial', [aList(2, ['a']), aList(1, ['b'], 'partial')], 'late'],
    ['partial', [aList(1, ['a']), aList(2, ['b'], 'partial')], 'applied'],
    ['the same partial', [aList(2, ['b'], 'partial'), aList(2, ['b'], 'partial')], 'unchanged'],
    ['an older partial of the same', [aList(2, ['b'], 'partial'), aList(1, ['b'], 'partial')], 'unchanged'],
    ['private', [aList(1, ['a']), aList(2, [], 'nothing')], 'nothing'],
    ['empty list instead of deletion', [aList(1, [], 'deleted'), aList(2, [])], 'applied'],
  ])('says what became of an observation: %s', (_, seen, fate) => {
    const before = after(...seen.slice(0, -1));
    expect(observe(before, seen.at(-1) as ListObservation).fate).toBe(fate);
  });

  it('breaks ties of time by the fence', () => {
    const first = { ...aList(5, ['a']), stamp: stamp(5, 1) };
    const second = { ...aList(5, ['b']), stamp: stamp(5, 2) };
    expect(ids(after(first, second))).toEqual(['b']);
    expect(ids(after(second, first))).toEqual(['b']);
  });

  it('vouches for each id by the observation that saw it', () => {
    const asserted = assertedBy(after(aList(1, ['a', 'c']), aList(2, ['b', 'c'], 'partial')));
    expect(asserted.get('a')?.source.callId).toBe('call-1');
    expect(asserted.get('c')?.stamp).toEqual(stamp(2));
    expect(asserted.get('b')).toEqual({
      stamp: stamp(2),
      source: expect.objectContaining({ callId: 'call-2' }),
    });
  });

  it('is as fresh as its newest part', () => {
    expect(newestStamp(after(aList(1, ['a']), aList(7, ['b'], 'partial')))).toEqual(stamp(7));
    expect(newestStamp(after(aList(9, ['a']), aList(7, ['b'], 'partial')))).toEqual(stamp(9));
  });

  it('asserts the same whenever only its freshness differs', () => {
    expect(assertsTheSame(after(aList(1, ['a'])), after(aList(2, ['a'])))).toBe(true);
    expect(assertsTheSame(after(aList(1, ['a'])), after(aList(2, ['b'])))).toBe(false);
    expect(assertsTheSame(after(aList(1, ['a'])), NOTHING_KNOWN)).toBe(false);
    expect(assertsTheSame(NOTHING_KNOWN, after(aList(1, [])))).toBe(false);
    expect(assertsTheSame(NOTHING_KNOWN, { base: undefined, added: new Map() })).toBe(true);
    expect(assertsTheSame(after(aList(1, [])), after(aList(1, [], 'deleted')))).toBe(false);
    const [two, three] = [after(aList(2, ['b'], 'partial')), after(aList(3, ['b'], 'partial'))];
    expect(assertsTheSame(two, three)).toBe(false);
    expect(assertsTheSame(two, after(aList(2, ['b'], 'partial')))).toBe(true);
    expect(assertsTheSame(two, after(aList(2, ['c'], 'partial')))).toBe(false);
    expect(assertsTheSame(two, after(aList(2, ['b', 'c'], 'partial')))).toBe(false);
  });
});
