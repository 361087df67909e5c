import { aList, ref, stamp } from '../../test/builders';
import type { Friendship } from '../domain/friendship';
import { NOTHING_KNOWN, observe } from '../domain/own-list';
import { endKey, normalIds, personKey, sideChanges, unansweredBy } from './side-changes';

const one = (at: number, ids: string[]) => observe(NOTHING_KNOWN, aList(at, ids)).list;
const lone: Friendship = { key: 'demo.vk.1.20', lowId: '1', highId: '20', low: { ...stamp(1) }, since: 1 };

describe('side changes', () => {
  it('asserts what is new and withdraws what is gone, on the own side only', () => {
    const changes = sideChanges(ref('10'), one(1, ['9', '11']), one(2, ['9', '8', '100']), []);
    expect(changes).toEqual([
      expect.objectContaining({ key: 'demo.vk.8.10', lowId: '8', highId: '10', side: 'high' }),
      expect.objectContaining({ key: 'demo.vk.10.100', lowId: '10', highId: '100', side: 'low' }),
      {
        key: 'demo.vk.10.11',
        lowId: '10',
        highId: '11',
        side: 'low',
        assertion: undefined,
        ended: { ...stamp(2), importId: 'import-1', callId: 'call-2', keyId: 'key-1' },
      },
    ]);
    expect(changes[0]?.assertion).toEqual({
      ...stamp(2),
      importId: 'import-1',
      callId: 'call-2',
      keyId: 'key-1',
    });
  });

  it('withdraws ids of superseded lists of the batch', () => {
    const changes = sideChanges(ref('1'), NOTHING_KNOWN, one(2, ['3']), [
      aList(1, ['2', '3']),
      aList(2, ['3']),
    ]);
    expect(changes.map(({ key, assertion }) => [key, assertion !== undefined])).toEqual([
      ['demo.vk.1.3', true],
      ['demo.vk.1.2', false],
    ]);
  });

  it.each([
    ['the first list that lacks it', [aList(9, []), aList(7, [])], 7],
    ['the first after it was there again', [aList(7, []), aList(8, ['2']), aList(9, [])], 9],
    ['the first after it was added again', [aList(7, []), aList(8, ['2'], 'partial'), aList(9, [])], 9],
    ['the first after it was last vouched for', [aList(4, []), aList(5, []), aList(9, [])], 9],
    ['the first that says everything', [aList(6, [], 'partial'), aList(7, [], 'nothing'), aList(9, [])], 9],
    ['the deletion of the person', [aList(7, [], 'deleted'), aList(9, [])], 7],
  ])('ends a friendship with %s', (_, lists, ended) => {
    const [change] = sideChanges(ref('1'), one(5, ['2']), one(9, []), lists);
    expect(change).toMatchObject({
      assertion: undefined,
      ended: { ...stamp(ended), callId: `call-${ended}` },
    });
  });

  it('changes nothing where the lists are the same', () => {
    expect(sideChanges(ref('1'), one(1, ['2']), one(2, ['2']), [aList(2, ['2'])])).toEqual([]);
  });

  it('puts ids in their order, each once, without the person itself', () => {
    expect(normalIds('7', ['100', '20', '3', '20', '7'])).toEqual(['3', '20', '100']);
  });

  it('knows the keys of people and of the ends of a friendship', () => {
    expect(personKey(ref('5', 'acme'))).toBe('acme.vk.5');
    expect([endKey(lone, 'low'), endKey(lone, 'high')]).toEqual(['demo.vk.1', 'demo.vk.20']);
    expect(unansweredBy(lone)).toBe('demo.vk.20');
    expect(unansweredBy({ ...lone, low: undefined, high: stamp(1) })).toBe('demo.vk.1');
    expect(unansweredBy({ ...lone, high: stamp(1) })).toBeUndefined();
  });
});
