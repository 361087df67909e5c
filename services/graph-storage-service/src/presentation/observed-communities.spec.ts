import {
  groupObserved,
  membershipListClosed,
  membershipPageObserved,
  postObserved,
  subscriptionListObserved,
  userObserved,
  type MessageDefinition,
} from '@sociograph/contracts';
import type { EventRecord } from '@sociograph/messaging';
import { observedMembers, observedVertices } from './observed-communities';
import { observedPeople } from './observed-people';

function record(message: MessageDefinition, value: object = {}): EventRecord {
  return { message, value: { ...(message.example as object), ...value } } as EventRecord;
}

const at = { stamp: { observedAt: 5, fence: 6 } };

describe('what a batch shows of groups and posts', () => {
  it('is gathered group by group and post by post', () => {
    const seen = observedVertices([
      record(groupObserved, { observedAt: 5, fence: 6 }),
      record(postObserved),
      record(groupObserved, { name: 'Go', state: 'banned' }),
      record(userObserved),
    ]);
    expect(seen.map(({ kind, ref, documents }) => [kind, ref.id, documents.length])).toEqual([
      ['group', '22822305', 2],
      ['post', '107_17', 1],
    ]);
    expect(seen[0]?.documents[0]).toEqual({
      content: { state: 'active', profile: { name: 'Chess', kind: 'group', closed: 'open' } },
      source: groupObserved.example.source,
      ...at,
    });
    expect(seen[0]?.documents[1]?.content).toMatchObject({ state: 'banned', profile: { name: 'Go' } });
    expect(seen[1]?.documents[0]?.content).toEqual({
      ownerKind: 'user',
      ownerId: '107',
      publishedAt: 1794990000000,
      text: 'First snow',
    });
  });
});

describe('what a batch shows of members', () => {
  it('is pages and ends, group by group; an end that is not complete ends nothing', () => {
    const seen = observedMembers([
      record(membershipPageObserved, { memberIds: ['3', '3', '1'], observedAt: 5, fence: 6 }),
      record(membershipListClosed, { complete: false }),
      record(membershipListClosed, { groupId: '9', parts: 4, observedAt: 5, fence: 6 }),
      record(groupObserved, { groupId: '9', state: 'deleted', observedAt: 5, fence: 6 }),
      record(groupObserved, { groupId: '10' }),
    ]);
    const { listId } = membershipPageObserved.example;
    expect(seen.map(({ ref, seen: { pages, ends, gone } }) => [ref.id, pages.length, ends, gone])).toEqual([
      ['22822305', 1, [], []],
      ['9', 0, [{ listId, parts: 4, ...at }], [at.stamp]],
    ]);
    expect(seen[0]?.seen.pages[0]).toMatchObject({ listId, part: 0, ids: ['3', '1'], ...at });
  });
});

describe('what a batch shows of subscriptions', () => {
  it.each([
    ['complete', 'complete', ['3', '107']],
    ['partial', 'partial', ['3', '107']],
    ['private', 'nothing', []],
    ['hidden', 'nothing', []],
    ['deleted', 'deleted', []],
  ])('is a list that is %s, taken as %s', (outcome, kind, ids) => {
    const [person] = observedPeople([record(subscriptionListObserved, { outcome, ids: ['107', '3', '3'] })]);
    expect(person?.seen.subscriptions).toMatchObject([{ list: 'groups', kind, ids }]);
    expect(person?.seen.lists).toEqual([]);
  });

  it('has nobody follow themselves', () => {
    const [person] = observedPeople([
      record(subscriptionListObserved, { list: 'people', ids: ['107', '3'] }),
    ]);
    expect(person?.seen.subscriptions).toMatchObject([{ list: 'people', ids: ['3'] }]);
  });

  it('ends with the person', () => {
    const [person] = observedPeople([record(userObserved, { state: 'deleted' })]);
    expect(person?.seen.subscriptions?.map(({ list, kind }) => `${list} ${kind}`)).toEqual([
      'groups deleted',
      'pages deleted',
      'people deleted',
    ]);
  });
});
