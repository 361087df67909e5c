import { deadLetterTopics } from '@sociograph/contracts';
import { erasureOf } from '../domain/erasure';
import { KafkaErasureLog, mentions, named, soughtBy } from './kafka-erasure-log';

const erasure = erasureOf(
  { workspaceId: 'demo', network: 'vk', mark: 'a'.repeat(64), requestedBy: 'someone', personId: '107' },
  1,
);
const record = (key: string, value: unknown) => ({ key, value }) as never;
const names = (one: never, sought = erasure): boolean => named(one, soughtBy([sought])).has(sought);

describe('named', () => {
  it.each([
    ['the own key', record('demo:vk:user:107', null)],
    ['the own key with a state', record('demo:vk:user:107', { id: '107', kind: 'user' })],
    ['the ended key of a post', record('demo:vk:post:107_17', null)],
    ['a friend', record('demo:vk:user:1', { kind: 'user', id: '1', friends: { ids: ['2', '107'] } })],
    ['an observed friend', record('demo:vk:user:1', { userId: '1', friendIds: ['107'] })],
    ['one who is followed', record('demo:vk:user:1', { list: 'people', ids: ['107'] })],
    ['a member', record('demo:vk:group:5', { groupId: '5', memberIds: ['107'] })],
    [
      'an author',
      record('demo:vk:post:5_1', {
        post: { content: { ownerKind: 'group', ownerId: '5', authorId: '107' } },
      }),
    ],
    ['the owner of a post that is repeated', record('demo:vk:post:5_1', { ownerId: '5', repostOf: '107_2' })],
    ['the owner of a wall', record('demo:vk:post:5_1', { ownerKind: 'user', ownerId: '107' })],
  ])('finds the person as %s', (_, found) => {
    expect(names(found, erasure)).toBe(true);
  });

  it.each([
    ['of another workspace', record('other:vk:user:107', { friendIds: ['107'] })],
    ['of another network', record('demo:file:user:107', null)],
    [
      'of a group with that number',
      record('demo:vk:group:107', { kind: 'group', id: '107', groupId: '107' }),
    ],
    ['of a wall of that group', record('demo:vk:post:9_1', { ownerKind: 'group', ownerId: '107' })],
    ['of groups and pages', record('demo:vk:user:1', { groups: { ids: ['107'] }, pages: { ids: ['107'] } })],
    ['of observed groups', record('demo:vk:user:1', { list: 'groups', ids: ['107'] })],
    ['of a longer id', record('demo:vk:user:1070', { friendIds: ['1107', '10'] })],
    ['of a repeated post of that group', record('demo:vk:post:5_1', { repostOf: '-107_2' })],
    ['of a repeated post with that number', record('demo:vk:post:5_1', { repostOf: '1070_107' })],
    ['of a post with that number', record('demo:vk:post:1070_17', null)],
    ['of a name', record('demo:vk:user:1', { document: { profile: { firstName: '107' } } })],
  ])('does not find them in records %s', (_, other) => {
    expect(names(other, erasure)).toBe(false);
  });

  it('finds all who are sought in one pass, each in their own workspace and network', () => {
    const of = (personId: string, network = 'vk') => ({
      ...erasure,
      id: `${network}${personId}`,
      personId,
      network,
    });
    const all = [of('107'), of('108'), of('109'), of('107', 'file')];
    const met = named(
      record('demo:vk:user:108', { userId: '108', friendIds: ['107', '1', '107'] }),
      soughtBy(all),
    );
    expect([...met].map(({ id }) => id)).toEqual(['vk108', 'vk107']);
  });

  it('finds nobody for an erasure that no longer says whom', () => {
    expect(names(record('demo:vk:user:107', null), { ...erasure, personId: undefined })).toBe(false);
  });
});

describe('mentions', () => {
  const raw = (key: string | null, value: string | null) =>
    ({ raw: { key: key && Buffer.from(key), value: value && Buffer.from(value) } }) as never;

  it('finds the id as a word of its own in key or value', () => {
    expect(mentions(raw('demo:vk:user:107', null), erasure)).toBe(true);
    expect(mentions(raw(null, '{"friendIds":["107"'), erasure)).toBe(true);
    expect(mentions(raw('demo:vk:user:1107', '{"n":1070}'), erasure)).toBe(false);
    expect(mentions(raw(null, null), erasure)).toBe(false);
    expect(mentions(raw('107', null), { ...erasure, personId: undefined })).toBe(false);
  });
});

describe('KafkaErasureLog', () => {
  it('looks into the dead letters of every group that reads about people, and is told where each log ends', async () => {
    const asked: string[] = [];
    const admin = {
      connect: async () => undefined,
      disconnect: async () => undefined,
      fetchTopicOffsets: async (topic: string) => {
        asked.push(topic);
        return [{ partition: 2, low: '0', high: String(asked.length) }];
      },
    };
    const options = { kafka: { admin: () => admin }, signal: new AbortController().signal };
    const ends = await new KafkaErasureLog({ ...options, publisher: {}, ids: {} } as never).ends();
    const aboutPeople = deadLetterTopics()
      .map(({ name }) => name)
      .filter((name) => /^sociograph\.(social|graph\.changes)\./.test(name));
    expect(aboutPeople).toContain('sociograph.graph.changes.v1.analytics.dlt');
    expect(asked.filter((name) => name.endsWith('.dlt')).sort()).toEqual(aboutPeople.sort());
    expect(ends).toEqual(Object.fromEntries(asked.map((topic, at) => [topic, { '2': at + 1 }])));
  });
});
