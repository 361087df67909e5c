import {
  friendListObserved,
  groupObserved,
  membershipPageObserved,
  postObserved,
  subscriptionListObserved,
  userObserved,
  type MessageDefinition,
} from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import type { EventRecord } from '@sociograph/messaging';
import { markOf, Suppressions } from '@sociograph/suppression';
import { ErasedPeople } from './erased-people';

const KEY = new Secret(Buffer.alloc(32, 9).toString('base64'));

describe('ErasedPeople', () => {
  const suppressions = new Suppressions(KEY);
  const drops = { observation: 0, 'list-entry': 0 } as Record<string, number>;
  const followed = {
    suppressions,
    caughtUp: Promise.resolve(),
    reached: () => 0,
    dropped: (kind: string, count: number) => void (drops[kind] = (drops[kind] ?? 0) + count),
    stop: async () => undefined,
  };
  const people = new ErasedPeople(followed);
  const record = (message: MessageDefinition, changes: object = {}): EventRecord =>
    ({ message, key: 'k', value: { ...(message.example as object), ...changes } }) as never;

  it('leaves records as they are while nobody was erased', async () => {
    const records = [record(userObserved), record(friendListObserved)];
    expect(await people.leaveOut(records)).toEqual(records);
  });

  it('drops what is about the person and takes the id out of what names people', async () => {
    suppressions.add({
      workspaceId: 'demo',
      network: 'vk',
      mark: markOf(KEY, 'demo', 'vk', '7'),
      erasureId: 'e',
      at: 1,
    });
    const kept = await people.leaveOut([
      record(userObserved, { userId: '7' }),
      record(userObserved, { userId: '8' }),
      record(friendListObserved, { userId: '7', friendIds: ['8'] }),
      record(friendListObserved, { userId: '8', friendIds: ['7', '9'] }),
      record(subscriptionListObserved, { userId: '7', list: 'groups', ids: ['1'] }),
      record(subscriptionListObserved, { userId: '8', list: 'groups', ids: ['7'] }),
      record(subscriptionListObserved, { userId: '8', list: 'people', ids: ['7', '9'] }),
      record(membershipPageObserved, { memberIds: ['7', '9'] }),
      record(postObserved, { ownerKind: 'user', ownerId: '7' }),
      record(postObserved, { ownerKind: 'group', ownerId: '7' }),
      record(postObserved, { ownerKind: 'group', ownerId: '1', authorId: '7' }),
      record(groupObserved, { groupId: '7' }),
      { ...record(userObserved), value: null } as EventRecord,
    ]);
    const brief = kept.map(({ message, value }) => {
      const { userId, list, friendIds, ids, memberIds, ownerId } = (value ?? {}) as Record<string, unknown>;
      return [message?.name.split('.').at(-1), userId, list, friendIds ?? ids ?? memberIds, ownerId].filter(
        (x) => x !== undefined,
      );
    });
    expect(brief).toEqual([
      ['user-observed', '8'],
      ['friend-list-observed', '8', ['9']],
      ['subscription-list-observed', '8', 'groups', ['7']],
      ['subscription-list-observed', '8', 'people', ['9']],
      ['membership-page-observed', ['9']],
      ['post-observed', '7'],
      ['group-observed'],
      ['user-observed'],
    ]);
    expect(drops).toEqual({ observation: 5, 'list-entry': 3 });
  });

  it('takes out of a post of somebody else which post of the person it repeats', async () => {
    const before = drops['list-entry'] ?? 0;
    const post = { ownerKind: 'user', ownerId: '8', authorId: '8' };
    const repeats = ['7_3', '-7_3', '77_3', undefined];
    const kept = await people.leaveOut(
      repeats.map((repostOf) => record(postObserved, { ...post, repostOf })),
    );
    expect(kept.map(({ value }) => (value as { repostOf?: string }).repostOf)).toEqual([
      undefined,
      '-7_3',
      '77_3',
      undefined,
    ]);
    expect(kept[0]?.value).toEqual(
      Object.fromEntries(
        Object.entries({ ...postObserved.example, ...post }).filter(([name]) => name !== 'repostOf'),
      ),
    );
    expect((drops['list-entry'] ?? 0) - before).toBe(1);
  });

  it('waits until all marks are known', async () => {
    let known!: () => void;
    const late = new ErasedPeople({
      ...followed,
      caughtUp: new Promise<void>((resolve) => (known = resolve)),
    });
    const order: string[] = [];
    const left = late.leaveOut([]).then(() => order.push('left out'));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('known');
    known();
    await left;
    expect(order).toEqual(['known', 'left out']);
  });
});
