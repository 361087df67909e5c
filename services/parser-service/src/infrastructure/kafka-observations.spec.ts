import { TOPICS, VIEWS } from '@sociograph/contracts';
import type { Observation } from '../domain/observation';
import { eventOf, KafkaObservations } from './kafka-observations';
import { AppliedViews } from './view-progress';

const sighting = {
  workspaceId: 'demo',
  network: 'vk',
  importId: 'import-1',
  callId: 'call-1',
  keyId: 'key-1',
  observedAt: 1_000.6,
  fence: 7,
};
const head = {
  workspaceId: 'demo',
  network: 'vk',
  userId: '5',
  observedAt: 1_001,
  fence: 7,
  source: { importId: 'import-1', callId: 'call-1', keyId: 'key-1' },
};

describe('observations as events', () => {
  it('are keyed by the person', () => {
    const profile = { firstName: 'A', lastName: 'B', closed: true };
    const event = eventOf(sighting, { kind: 'person', person: '5', state: 'active', profile });
    expect(event).toMatchObject({ key: 'demo:vk:user:5', value: { ...head, state: 'active', profile } });
    expect(event.message.schema.safeParse(event.value).success).toBe(true);
    expect(TOPICS.users.messages).toContain(event.message);
  });

  it('carry the whole list', () => {
    const event = eventOf(sighting, {
      kind: 'friend-list',
      person: '5',
      outcome: 'complete',
      friendIds: ['1'],
    });
    expect(event.value).toEqual({ ...head, outcome: 'complete', friendIds: ['1'] });
    expect(TOPICS.friendLists.messages).toContain(event.message);
    const partial = eventOf(sighting, {
      kind: 'friend-list',
      person: '5',
      outcome: 'partial',
      friendIds: [],
      total: 3,
    });
    expect(partial.value).toEqual({ ...head, outcome: 'partial', friendIds: [], total: 3 });
  });

  it.each<[Observation, string, keyof typeof TOPICS, object]>([
    [
      { kind: 'subscription-list', person: '5', list: 'groups', outcome: 'complete', ids: ['7'] },
      'user:5',
      'subscriptions',
      { userId: '5', list: 'groups', outcome: 'complete', ids: ['7'] },
    ],
    [
      { kind: 'subscription-list', person: '5', list: 'pages', outcome: 'partial', ids: [], total: 3 },
      'user:5',
      'subscriptions',
      { userId: '5', list: 'pages', outcome: 'partial', ids: [], total: 3 },
    ],
    [
      { kind: 'group', groupId: '7', state: 'banned', profile: { name: 'Chess', closed: 'open' } },
      'group:7',
      'groups',
      { groupId: '7', state: 'banned', name: 'Chess', closed: 'open' },
    ],
    [
      {
        kind: 'post',
        postId: '-7_3',
        post: { ownerKind: 'group', ownerId: '7', publishedAt: 9, text: 'x', repostOf: '5_1' },
      },
      'post:-7_3',
      'posts',
      { postId: '-7_3', ownerKind: 'group', ownerId: '7', publishedAt: 9, text: 'x', repostOf: '5_1' },
    ],
    [
      { kind: 'member-page', groupId: '7', listId: 'call-1', part: 2, memberIds: ['5', '6'] },
      'group:7',
      'memberships',
      { groupId: '7', listId: 'call-1', part: 2, memberIds: ['5', '6'] },
    ],
    [
      { kind: 'members-closed', groupId: '7', listId: 'call-1', parts: 3, count: 9, complete: false },
      'group:7',
      'memberships',
      { groupId: '7', listId: 'call-1', parts: 3, count: 9, complete: false },
    ],
  ])('have a message of their own: %j', (observation, about, topic, value) => {
    const { userId: _, ...stamp } = head;
    const event = eventOf(sighting, observation);
    expect([event.key, event.subject]).toEqual([`demo:vk:${about}`, `demo:vk:${about}`]);
    expect(event.value).toEqual({ ...stamp, ...value });
    expect(event.message.schema.safeParse(event.value).success).toBe(true);
    expect(
      Object.values(TOPICS).find(({ messages }) => (messages as unknown[]).includes(event.message)),
    ).toBe(TOPICS[topic]);
  });

  it('only add where a list is longer than a record may be', () => {
    const friendIds = Array.from({ length: 20_001 }, (_, index) => String(index + 1));
    const whole = eventOf(sighting, {
      kind: 'friend-list',
      person: '5',
      outcome: 'complete',
      friendIds: friendIds.slice(1),
    });
    expect(whole.value).toMatchObject({ outcome: 'complete' });
    const cut = eventOf(sighting, { kind: 'friend-list', person: '5', outcome: 'complete', friendIds });
    expect(cut.value).toMatchObject({ outcome: 'partial', total: 20_001, friendIds: { length: 20_000 } });
  });
});

describe('the log of observations', () => {
  it('publishes many in several turns and keeps the highest positions', async () => {
    const sizes: number[] = [];
    const publish = async (events: readonly unknown[]) => {
      sizes.push(events.length);
      return { t: { '0': sizes.length === 1 ? 9 : 4, [String(sizes.length)]: 1 } };
    };
    const observations = Array.from({ length: 501 }, (_, index) => ({
      kind: 'person' as const,
      person: String(index + 1),
      state: 'active' as const,
      profile: { firstName: 'A', lastName: 'B' },
    }));
    const log = new KafkaObservations({ publish });
    expect(await log.publish(sighting, observations)).toEqual({ t: { '0': 9, '1': 1, '2': 1, '3': 1 } });
    expect(sizes).toEqual([250, 250, 1]);
    expect(await log.publish(sighting, [])).toEqual({});
  });
});

describe('the progress of views', () => {
  const views = Object.values(VIEWS);
  const applied = (view: string, partition: number, offset: number, fence = 1) => ({
    view,
    partition,
    fence,
    at: 0,
    appliedUpTo: { t: { [String(partition)]: offset } },
  });

  it('is reached when every view has applied every partition', () => {
    const progress = new AppliedViews();
    expect(progress.reached({})).toBe(true);
    for (const view of views) progress.note(applied(view, 0, 5));
    expect(progress.reached({ t: { '0': 5 } })).toBe(true);
    expect(progress.reached({ t: { '0': 6 } })).toBe(false);
    expect(progress.reached({ t: { '0': 5, '1': 1 } })).toBe(false);
    progress.note(applied(views[0] ?? '', 1, 1));
    expect(progress.reached({ t: { '0': 5, '1': 1 } })).toBe(false);
    for (const view of views.slice(1)) progress.note(applied(view, 1, 1));
    expect(progress.reached({ t: { '0': 5, '1': 1 } })).toBe(true);
  });

  it('does not listen to a writer that was replaced', () => {
    const progress = new AppliedViews();
    for (const view of views) progress.note(applied(view, 0, 3, 2));
    for (const view of views) progress.note(applied(view, 0, 9, 1));
    expect(progress.reached({ t: { '0': 4 } })).toBe(false);
    for (const view of views) progress.note(applied(view, 0, 4, 2));
    expect(progress.reached({ t: { '0': 4 } })).toBe(true);
  });
});
