import { inputMarked, messageType, vertexChanged } from '@sociograph/contracts';
import type { OutgoingEvent } from '@sociograph/messaging';
import { aDocument, aList, IMPORT, ref, stamp } from '../../test/builders';
import { NOTHING_KNOWN, observe } from '../domain/own-list';
import type { Person } from '../domain/person';
import { KafkaChangeLog, vertexOf } from './kafka-change-log';

const person: Person = {
  ref: ref('107'),
  version: 3,
  changedAt: 99,
  document: aDocument(4, 'Vera'),
  list: observe(NOTHING_KNOWN, aList(5, ['1', '58'])).list,
};

async function published(people: Person[]): Promise<OutgoingEvent[]> {
  const sent: OutgoingEvent[] = [];
  const log = new KafkaChangeLog({ publish: async (events) => (sent.push(...events), {}) });
  await log.publish(people, 2, { t: { '2': 7 } });
  return sent;
}

describe('KafkaChangeLog', () => {
  it('publishes what is stored of a vertex, as the contract has it', () => {
    const value = vertexOf(person);
    expect(vertexChanged.schema.parse(value)).toEqual({
      ...ref('107'),
      kind: 'user',
      version: 3,
      changedAt: 99,
      document: { state: 'active', profile: { firstName: 'Vera', lastName: 'X' }, observedAt: 4, fence: 1 },
      friends: { ids: ['1', '58'], complete: true, observedAt: 5, fence: 1 },
    });
  });

  it('leaves out what was never seen', () => {
    const value = vertexOf({ ...person, document: undefined, list: NOTHING_KNOWN });
    expect(Object.keys(value).sort()).toEqual([
      'changedAt',
      'id',
      'kind',
      'network',
      'version',
      'workspaceId',
    ]);
  });

  it('joins additions into the list, in order', () => {
    const list = observe(person.list, { kind: 'partial', ids: ['7'], stamp: stamp(8), source: IMPORT }).list;
    expect(vertexOf({ ...person, list }).friends).toEqual({
      ids: ['1', '7', '58'],
      complete: true,
      observedAt: 8,
      fence: 1,
    });
  });

  it('publishes what a person belongs to and follows, as much of it as a record holds', () => {
    const listOf = (ids: string[]) => observe(NOTHING_KNOWN, aList(6, ids)).list;
    const many = Array.from({ length: 25_000 }, (_, i) => String(i));
    const subscriptions = { groups: listOf(many.slice(3)), pages: listOf(['8', '9']), people: listOf([]) };
    const value = vertexOf({ ...person, subscriptions });
    const seenAt = { observedAt: 6, fence: 1 };
    expect(value.friends).toMatchObject({ ids: ['1', '58'], complete: true });
    expect(value.groups).toEqual({ ids: many.slice(3), complete: true, ...seenAt });
    expect(value.pages).toEqual({ ids: ['8'], complete: false, ...seenAt });
    expect(value.follows).toEqual({ ids: [], complete: true, ...seenAt });
    expect(vertexChanged.schema.parse(value)).toEqual(value);
  });

  it('publishes groups and posts behind the people', async () => {
    const sent: OutgoingEvent[] = [];
    const log = new KafkaChangeLog({ publish: async (events) => (sent.push(...events), {}) });
    const seenAt = { observedAt: 6, fence: 1 };
    const vertex = (kind: 'group' | 'post', id: string, content: object) => {
      const document = { content, stamp: seenAt, source: IMPORT };
      return { kind, ref: ref(id), version: 2, changedAt: 99, document };
    };
    const content = { ownerKind: 'user', ownerId: '1', publishedAt: 3, text: 'Snow' };
    await log.publish([person], 2, { t: { '2': 7 } }, [
      vertex('group', '5', { state: 'active', profile: { name: 'Chess' } }),
      vertex('post', '1_2', content),
    ]);
    expect(sent.map(({ key, headers }) => [key, headers !== undefined])).toEqual([
      ['demo:vk:user:107', false],
      ['demo:vk:group:5', false],
      ['demo:vk:post:1_2', true],
    ]);
    const head = { workspaceId: 'demo', network: 'vk', version: 2, changedAt: 99 };
    const group = { state: 'active', profile: { name: 'Chess' }, ...seenAt };
    expect(sent[1]?.value).toEqual({ ...head, kind: 'group', id: '5', group });
    expect(sent[2]?.value).toEqual({ ...head, kind: 'post', id: '1_2', post: { content, ...seenAt } });
    for (const { value } of sent) expect(vertexChanged.schema.parse(value)).toEqual(value);
  });

  it('says on the last record, and only there, how far the input is done', async () => {
    const [first, last, ...rest] = await published([person, { ...person, ref: ref('5') }]);
    expect(rest).toEqual([]);
    expect([first?.key, first?.partition, first?.headers]).toEqual(['demo:vk:user:107', 2, undefined]);
    expect([last?.key, last?.partition, last?.headers]).toEqual([
      'demo:vk:user:5',
      2,
      { source: '{"t":{"2":7}}' },
    ]);
  });

  it('marks the input as done where nothing changed', async () => {
    const [marker, ...rest] = await published([]);
    expect(rest).toEqual([]);
    expect(marker && messageType(marker.message)).toBe(messageType(inputMarked));
    expect(marker).toMatchObject({
      key: 'marker:2',
      value: { partition: 2 },
      partition: 2,
      headers: { source: '{"t":{"2":7}}' },
    });
  });

  it('goes on in the trace of the observation that a change follows from, not of the work at hand', async () => {
    const sent: OutgoingEvent[] = [];
    const traces = { of: (partition: number, key: string) => `${partition} ${key}`, any: () => 'any' };
    const log = new KafkaChangeLog({ publish: async (events) => (sent.push(...events), {}) }, traces);
    await log.publish([person], 2, {});
    await log.publish([], 3, {});
    expect(sent.map(({ headers }) => headers)).toEqual([
      { traceparent: '2 demo:vk:user:107', source: '{}' },
      { traceparent: 'any', source: '{}' },
    ]);
  });
});
