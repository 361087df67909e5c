import { friendListObserved, userObserved, type MessageDefinition } from '@sociograph/contracts';
import type { EventRecord } from '@sociograph/messaging';
import { observedPeople } from './observed-people';

function record(message: MessageDefinition, value: object): EventRecord {
  return { message, value: { ...(message.example as object), ...value } } as EventRecord;
}

describe('observedPeople', () => {
  it('gathers what a batch says of each person', () => {
    const people = observedPeople([
      record(friendListObserved, { userId: '7', friendIds: ['20', '3', '7', '3'] }),
      record(userObserved, { userId: '8', state: 'banned' }),
      record(userObserved, { userId: '7' }),
    ]);
    expect(people.map(({ ref }) => ref)).toEqual([
      { workspaceId: 'demo', network: 'vk', id: '7' },
      { workspaceId: 'demo', network: 'vk', id: '8' },
    ]);
    const { source, observedAt, fence } = friendListObserved.example;
    expect(people[0]?.seen.lists).toEqual([
      { kind: 'complete', ids: ['3', '20'], stamp: { observedAt, fence }, source },
    ]);
    expect(people[0]?.seen.documents).toHaveLength(1);
    expect(people[1]?.seen.documents[0]?.content).toMatchObject({
      state: 'banned',
      profile: { firstName: 'Vera' },
    });
    expect(people[1]?.seen.lists).toEqual([]);
  });

  it.each([
    ['complete', 'complete', ['1']],
    ['partial', 'partial', ['1']],
    ['private', 'nothing', []],
    ['hidden', 'nothing', []],
    ['deleted', 'deleted', []],
  ])('takes a list that is %s as %s', (outcome, kind, ids) => {
    const [person] = observedPeople([record(friendListObserved, { outcome, friendIds: ['1'] })]);
    expect(person?.seen.lists).toMatchObject([{ kind, ids }]);
  });

  it('ends what a deleted person asserted', () => {
    const [person] = observedPeople([record(userObserved, { state: 'deleted', observedAt: 5, fence: 6 })]);
    expect(person?.seen.lists).toMatchObject([
      { kind: 'deleted', ids: [], stamp: { observedAt: 5, fence: 6 } },
    ]);
  });
});
