import type { ItemOutcome } from '../domain/items';
import { isPoison, outcomeOf } from './read-answer';

const item = (person: string, attempts = 1, depth = 0) => ({ person, depth, attempts, keyFaults: 0 });
const read = (outcomes: Record<string, ItemOutcome>) =>
  ({ kind: 'read', outcomes: new Map(Object.entries(outcomes)), errors: [], made: {} }) as const;
const nothing = {
  done: [],
  gaps: [],
  long: [],
  more: [],
  again: [],
  observations: [],
  found: [],
  friendshipObservations: 0,
};

describe('what an answer means', () => {
  it('lists people at one more step, the nearest counts, each once', () => {
    const outcome = outcomeOf(
      'lists',
      [item('1', 1, 3), item('2', 1, 0)],
      read({
        '1': { kind: 'list', friendIds: ['8', '9'], total: 2 },
        '2': { kind: 'list', friendIds: ['9'], total: 2 },
      }),
    );
    expect(outcome).toEqual({
      ...nothing,
      done: ['1'],
      gaps: [{ person: '2', cause: 'partial', detail: '1 of 2' }],
      found: [
        { person: '8', depth: 4 },
        { person: '9', depth: 1 },
      ],
      friendshipObservations: 3,
      observations: [
        { kind: 'friend-list', person: '1', outcome: 'complete', friendIds: ['8', '9'] },
        { kind: 'friend-list', person: '2', outcome: 'partial', friendIds: ['9'], total: 2 },
      ],
    });
  });

  it('keeps the nearest distance in whichever order lists come', () => {
    const lists = read({
      '1': { kind: 'list', friendIds: ['9'], total: 1 },
      '2': { kind: 'list', friendIds: ['9'], total: 1 },
    });
    expect(outcomeOf('lists', [item('1', 1, 0), item('2', 1, 3)], lists).found).toEqual([
      { person: '9', depth: 1 },
    ]);
  });

  it('lets the platform know a person', () => {
    const profile = { firstName: 'A', lastName: 'B' };
    const outcome = outcomeOf(
      'lists',
      [item('1')],
      read({ '1': { kind: 'profile', state: 'banned', profile } }),
    );
    expect(outcome).toEqual({
      ...nothing,
      done: ['1'],
      banned: ['1'],
      observations: [{ kind: 'person', person: '1', state: 'banned', profile }],
    });
    const deleted = outcomeOf(
      'lists',
      [item('1')],
      read({ '1': { kind: 'profile', state: 'deleted', profile } }),
    );
    expect(deleted).not.toHaveProperty('banned');
  });

  it.each(['private', 'hidden', 'deleted'] as const)('says of a list that it is %s', (cause) => {
    expect(outcomeOf('lists', [item('1')], read({ '1': { kind: 'absent', cause } }))).toEqual({
      ...nothing,
      gaps: [{ person: '1', cause, detail: null }],
      observations: [{ kind: 'friend-list', person: '1', outcome: cause, friendIds: [] }],
    });
  });

  it('says nothing of somebody nobody knows', () => {
    expect(outcomeOf('lists', [item('1')], read({ '1': { kind: 'absent', cause: 'unknown' } }))).toEqual({
      ...nothing,
      gaps: [{ person: '1', cause: 'unknown', detail: null }],
    });
  });

  it('sends long lists to calls of their own', () => {
    expect(outcomeOf('lists', [item('1')], read({ '1': { kind: 'too-long' } }))).toEqual({
      ...nothing,
      long: ['1'],
    });
  });

  it('tries an item again that the answer forgot', () => {
    expect(outcomeOf('lists', [item('1')], read({}))).toEqual({
      ...nothing,
      again: [{ person: '1', readyInMs: 1_000, refund: false, cause: 'missing in the answer' }],
    });
  });

  it('tries all items again after a call that failed as a whole', () => {
    const failed = { kind: 'failed', blame: 'key', cause: 'error 6', errors: [], made: {} } as const;
    expect(outcomeOf('lists', [item('1'), item('2')], failed)).toEqual({
      ...nothing,
      again: [
        { person: '1', readyInMs: 0, refund: true, cause: 'error 6' },
        { person: '2', readyInMs: 0, refund: true, cause: 'error 6' },
      ],
    });
  });

  it('gives poison up whatever the answer says', () => {
    expect([isPoison(item('1', 7)), isPoison(item('1', 8))]).toEqual([false, true]);
    const list = read({ '1': { kind: 'list', friendIds: ['5'], total: 1 } });
    expect(outcomeOf('lists', [item('1', 9)], list)).toEqual({
      ...nothing,
      gaps: [{ person: '1', cause: 'gave-up', detail: 'after 8 tries: no call of it ended' }],
    });
  });

  it('says nothing of a list that moved until it is given up', () => {
    const moved: ItemOutcome = { kind: 'moved', friendIds: ['8'], total: 2 };
    expect(outcomeOf('long-list', [item('1', 1)], read({ '1': moved }))).toEqual({
      ...nothing,
      again: [{ person: '1', readyInMs: 0, refund: false, cause: 'it changed while it was read' }],
      found: [{ person: '8', depth: 1 }],
    });
    expect(outcomeOf('long-list', [item('1', 3)], read({ '1': moved }))).toEqual({
      ...nothing,
      gaps: [{ person: '1', cause: 'partial', detail: 'it changed while it was read' }],
      found: [{ person: '8', depth: 1 }],
      observations: [{ kind: 'friend-list', person: '1', outcome: 'partial', friendIds: ['8'], total: 2 }],
    });
  });

  it('meets people and groups at the item`s own distance or one farther', () => {
    const group = { kind: 'group', groupId: '5', state: 'active', profile: { name: 'Chess' } } as const;
    const seen: ItemOutcome = {
      kind: 'seen',
      observations: [group],
      met: [
        { person: '9', steps: 0 },
        { person: '-5', steps: 1 },
      ],
      rest: { kind: 'more', cursor: 'here' },
    };
    expect(outcomeOf('members', [item('-1', 1, 2)], read({ '-1': seen }))).toEqual({
      ...nothing,
      more: [{ person: '-1', cursor: 'here' }],
      observations: [group],
      found: [
        { person: '9', depth: 2 },
        { person: '-5', depth: 3 },
      ],
    });
  });

  it.each([
    ['groups', ['groups']],
    ['long-groups', ['groups']],
    ['subscriptions', ['pages', 'people']],
    ['walls', []],
    ['members', []],
  ] as const)('says of %s that cannot be seen: %j', (kind, lists) => {
    const outcome = outcomeOf(kind, [item('1')], read({ '1': { kind: 'absent', cause: 'private' } }));
    expect(outcome.observations).toEqual(
      lists.map((list) => ({ kind: 'subscription-list', person: '1', list, outcome: 'private', ids: [] })),
    );
    expect(outcome.gaps).toEqual([{ person: '1', cause: 'private', detail: null }]);
  });
});
