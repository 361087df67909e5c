import { DomainError } from '@sociograph/kernel';
import { aDocument, aList, ref, seen, stamp } from '../../test/builders';
import type { ListObservation } from '../domain/observation';
import { Pause } from '../domain/ports';
import { InMemoryChangeLog, InMemoryGraph, InMemoryMeter } from '../infrastructure/in-memory';
import { ApplyObservations, units, type SeenPerson } from './apply-observations';
import type { SeenVertex } from './apply-vertices';
import { Confirmations } from './confirmations';

class NoPause extends Pause {
  readonly waits: number[] = [];
  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
  }
}

function aService(options: { refuse?: () => boolean } = {}) {
  const graph = new InMemoryGraph(options.refuse);
  const log = new InMemoryChangeLog();
  const meter = new InMemoryMeter();
  const pause = new NoPause();
  const clock = { nowMs: () => 7_000, monotonicMs: () => 0 };
  const confirmations = new Confirmations();
  const apply = new ApplyObservations(graph, log, meter, confirmations, clock, { next: () => 0.5 }, pause);
  let heartbeats = 0;
  const execute = (people: SeenPerson[], positions = {}) =>
    apply.execute({ partition: 3, people, positions, heartbeat: async () => void (heartbeats += 1) });
  return { apply, graph, log, meter, pause, execute, heartbeats: () => heartbeats };
}

const edge = ({ graph }: ReturnType<typeof aService>, key = 'demo.vk.1.2') => graph.edges.get(key);

describe('ApplyObservations', () => {
  it('makes one edge of a friendship that both lists have', async () => {
    const service = aService();
    await service.execute([seen('2', [aList(1, ['1'])]), seen('1', [aList(2, ['2'])])]);
    expect([...service.graph.edges.keys()]).toEqual(['demo.vk.1.2']);
    expect(edge(service)).toMatchObject({
      lowId: '1',
      highId: '2',
      low: { ...stamp(2), importId: 'import-1', callId: 'call-2', keyId: 'key-1' },
      high: { ...stamp(1), callId: 'call-1' },
      since: 1,
    });
    expect(service.meter.counts).toEqual({
      'list applied': 2,
      'friendships created': 1,
      'published change': 2,
    });
  });

  it('orders the ends by number, not by text', async () => {
    const service = aService();
    await service.execute([seen('107', [aList(1, ['58'])])]);
    expect(edge(service, 'demo.vk.58.107')).toMatchObject({ lowId: '58', highId: '107', high: stamp(1) });
  });

  it('stores batches of several partitions together and publishes each in its own', async () => {
    const { apply, graph, log, meter } = aService();
    const reads = jest.spyOn(graph, 'read');
    const batch = (partition: number, people: SeenPerson[], vertices: SeenVertex[] = []) => {
      const positions = { t: { [String(partition)]: 10 + partition } };
      return { partition, people, vertices, positions, heartbeat: async () => undefined };
    };
    const group: SeenVertex = { kind: 'group', ref: ref('2'), documents: [aDocument(1, 'Choir')] };
    await apply.executeTogether([
      batch(2, [seen('1', [aList(1, ['2'])])]),
      batch(4, [seen('2', [aList(1, ['1'])])], [group]),
      batch(5, []),
    ]);
    expect(reads).toHaveBeenCalledTimes(1);
    const told = log.batches.map(({ changes, vertices, partition, source }) => [
      partition,
      changes.map(({ ref: { id } }) => id),
      vertices.map(({ ref: { id } }) => id),
      source,
    ]);
    expect(told).toEqual([
      [2, ['1'], [], { t: { '2': 12 } }],
      [4, ['2'], ['2'], { t: { '4': 14 } }],
      [5, [], [], { t: { '5': 15 } }],
    ]);
    expect(meter.counts).toMatchObject({ 'published change': 3, 'published marker': 1 });
  });

  it('publishes whole states with the partition and the positions reached', async () => {
    const service = aService();
    const positions = { 'sociograph.social.friend-lists.v1': { '3': 12 } };
    await service.execute([seen('1', [aList(1, ['2'])], [aDocument(1, 'Vera')])], positions);
    const [batch] = service.log.batches;
    expect(batch).toMatchObject({ partition: 3, source: positions });
    expect(batch?.changes).toHaveLength(1);
    expect(batch?.changes[0]).toMatchObject({
      ref: ref('1'),
      version: 1,
      changedAt: 7_000,
      list: { base: { ids: ['2'] } },
    });
    expect(service.heartbeats()).toBe(1);
  });

  it('publishes a marker where nothing changed', async () => {
    const service = aService();
    await service.execute([], { t: { '3': 1 } });
    await service.execute([seen('1', [aList(1, [], 'nothing')])], { t: { '3': 2 } });
    expect(service.log.batches.map(({ changes, source }) => [changes.length, source])).toEqual([
      [0, { t: { '3': 1 } }],
      [0, { t: { '3': 2 } }],
    ]);
    expect(service.meter.counts).toEqual({ 'published marker': 2, 'list nothing': 1 });
  });

  it('writes nothing for an unchanged list and still knows how fresh it is', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(1, ['2', '3'])], [aDocument(1, 'Vera')])]);
    const writes = { ...service.graph.writes };
    await service.execute([seen('1', [aList(5, ['2', '3'])], [aDocument(5, 'Vera')])]);
    expect(service.graph.writes).toEqual(writes);
    await service.execute([seen('1', [aList(3, ['9'])], [aDocument(3, 'Old')])]);
    expect(service.graph.writes).toEqual(writes);
    expect(service.meter.counts).toMatchObject({
      'list unchanged': 1,
      'list late': 1,
      'person unchanged': 1,
      'person late': 1,
    });
    expect(service.log.batches.map(({ changes }) => changes.length)).toEqual([1, 0, 0]);
  });

  it('removes a friendship when the last side that asserted it no longer does', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(1, ['2', '3'])]), seen('2', [aList(1, ['1'])])]);
    await service.execute([seen('1', [aList(2, ['3'])])]);
    expect(edge(service)).toMatchObject({ high: stamp(1), low: undefined });
    await service.execute([seen('2', [aList(3, [])])]);
    expect([...service.graph.edges.keys()]).toEqual(['demo.vk.1.3']);
    expect(service.meter.counts).toMatchObject({ 'friendships created': 2, 'friendships removed': 1 });
  });

  it('keeps how long a friendship lasted that is over, which look ended it, and starts anew when it returns', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(10, ['2', '3'])]), seen('2', [aList(12, ['1'])])]);
    await service.execute([seen('1', [aList(20, ['3'])])]);
    expect(service.graph.past.size).toBe(0);
    await service.execute([seen('2', [aList(30, [])])]);
    expect([...service.graph.past]).toEqual([
      [
        'demo.vk.1.2.10',
        {
          key: 'demo.vk.1.2',
          lowId: '1',
          highId: '2',
          low: undefined,
          high: { ...stamp(12), importId: 'import-1', callId: 'call-12', keyId: 'key-1' },
          since: 10,
          until: 30,
          endedBy: { ...stamp(30), importId: 'import-1', callId: 'call-30', keyId: 'key-1' },
        },
      ],
    ]);
    await service.execute([seen('1', [aList(40, ['2', '3'])])]);
    await service.execute([seen('1', [aList(50, [], 'deleted')])]);
    expect([...service.graph.past.keys()]).toEqual(['demo.vk.1.2.10', 'demo.vk.1.2.40', 'demo.vk.1.3.10']);
    expect(service.graph.past.get('demo.vk.1.2.40')).toMatchObject({ since: 40, until: 50 });
  });

  it('ends a friendship with the first look of a batch that lacks it, not with one before it was confirmed', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(10, ['2'])]), seen('5', [aList(10, ['6'])])]);
    await service.execute([seen('1', [aList(20, ['2'])])]);
    await service.execute([
      seen('1', [aList(15, []), aList(40, []), aList(30, [])]),
      seen('5', [aList(15, []), aList(40, [])]),
    ]);
    expect(service.graph.past.get('demo.vk.1.2.10')).toMatchObject({ since: 10, until: 30 });
    expect(service.graph.past.get('demo.vk.5.6.10')).toMatchObject({ since: 10, until: 15 });
  });

  it('cuts large writes up and says between them that it is alive', async () => {
    const service = aService();
    const ids = Array.from({ length: 9_000 }, (_, n) => String(10_000 + n));
    const sizes: number[] = [];
    const write = service.graph.writeFriendships.bind(service.graph);
    service.graph.writeFriendships = async (writes) => (sizes.push(writes.create.length), write(writes));
    await service.execute([seen('1', [aList(1, ids)])]);
    expect(sizes).toEqual([4_000, 4_000, 1_000]);
    expect(service.heartbeats()).toBe(3);
    expect(service.graph.edges.size).toBe(9_000);
  });

  it('ends only the own assertions of a deleted person', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(1, ['2', '3'])]), seen('2', [aList(1, ['1'])])]);
    await service.execute([seen('1', [aList(2, [], 'deleted')])]);
    expect([...service.graph.edges.keys()]).toEqual(['demo.vk.1.2']);
    expect(edge(service)).toMatchObject({ low: undefined, high: stamp(1), deniedAt: undefined });
  });

  it('takes back what a process that died wrote of a list that is superseded in the same batch', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(1, ['3'])])]);
    await service.graph.writeFriendships({
      create: [
        {
          key: 'demo.vk.1.2',
          lowId: '1',
          highId: '2',
          low: { ...stamp(2), importId: 'i', callId: 'c' },
          since: 2,
        },
      ],
      replace: [],
      remove: [],
    });
    await service.execute([seen('1', [aList(2, ['2', '3']), aList(3, ['3', '4'])])]);
    expect([...service.graph.edges.keys()].sort()).toEqual(['demo.vk.1.3', 'demo.vk.1.4']);
  });

  it('publishes what was written when the log was away', async () => {
    const service = aService();
    service.log.failNext = new DomainError({ code: 'X', kind: 'unavailable', message: 'away' });
    await expect(service.execute([seen('1', [aList(1, ['2'])])])).rejects.toThrow('away');
    await service.execute([seen('1', [aList(1, ['2'])])]);
    expect(service.log.batches.map(({ changes }) => changes.map(({ version }) => version))).toEqual([[1]]);
  });

  it('retries conflicts with growing waits and gives up as unavailable', async () => {
    const service = aService({ refuse: () => true });
    const failure: unknown = await service
      .execute([seen('1', [aList(1, ['2'])])])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'GRAPH.TOO_CONTENDED',
      kind: 'unavailable',
      facts: { keys: 1, attempts: 12 },
      retryAfterSeconds: 1,
    });
    expect(service.pause.waits).toEqual(
      [10, 20, 40, 80, 160, 200, 200, 200, 200, 200, 200].map((ms) => ms * 0.75),
    );
    expect(service.meter.counts).toEqual({ 'conflicts friendship': 12 });
  });

  it('decides again about a person whom another writer changed', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(1, ['2'])])]);
    const write = service.graph.writePeople.bind(service.graph);
    let interfered = false;
    service.graph.writePeople = async (people) => {
      if (!interfered) {
        interfered = true;
        const other = { ...(service.graph.people.get('demo.vk.1') as never as object), version: 9 };
        service.graph.people.set('demo.vk.1', { ...other, rev: 'other' } as never);
      }
      return write(people);
    };
    await service.execute([seen('1', [aList(2, ['2', '3'])])]);
    expect(service.graph.people.get('demo.vk.1')).toMatchObject({
      version: 10,
      list: { base: { ids: ['2', '3'] } },
    });
    expect(service.meter.counts).toMatchObject({ 'conflicts person': 1, 'list applied': 2 });
    expect(service.log.batches[1]?.changes.map(({ version }) => version)).toEqual([10]);
  });
});

describe('disputes', () => {
  it('begins with a newer complete list of the other side that lacks the friendship', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(1, ['2'])])]);
    await service.execute([seen('2', [aList(2, [])])]);
    expect(edge(service)).toMatchObject({ low: stamp(1), deniedAt: stamp(2) });
    expect(service.meter.counts).toMatchObject({ 'friendships judged': 1 });
  });

  it('is found also when the asserting list comes after the denying one', async () => {
    const service = aService();
    await service.execute([seen('2', [aList(2, [])])]);
    await service.execute([seen('1', [aList(1, ['2'])])]);
    expect(edge(service)).toMatchObject({ low: stamp(1), deniedAt: stamp(2) });
  });

  it.each<[string, ListObservation]>([
    ['an older list', aList(1, [])],
    ['a partial list', aList(9, ['7'], 'partial')],
    ['a private list', aList(9, [], 'nothing')],
    ['a deleted person', aList(9, [], 'deleted')],
  ])('does not begin with %s', async (_, denying) => {
    const service = aService();
    await service.execute([seen('1', [aList(2, ['2'])])]);
    await service.execute([seen('2', [denying])]);
    expect(edge(service)?.deniedAt).toBeUndefined();
  });

  it('ends when the asserting list is seen again, and begins again with the next denial', async () => {
    const service = aService();
    await service.execute([seen('1', [aList(1, ['2'])])]);
    await service.execute([seen('2', [aList(2, [])])]);
    await service.execute([seen('1', [aList(3, ['2'])])]);
    expect(edge(service)).toMatchObject({ low: { ...stamp(3), callId: 'call-1' }, deniedAt: undefined });
    await service.execute([seen('2', [aList(4, [])])]);
    expect(edge(service)?.deniedAt).toEqual(stamp(4));
    await service.execute([seen('2', [aList(5, ['1'])])]);
    expect(edge(service)).toMatchObject({ high: stamp(5), deniedAt: undefined });
  });
});

describe('units', () => {
  const people = (...sizes: number[]): SeenPerson[] =>
    sizes.map((size, i) =>
      seen(String(i), [
        aList(
          1,
          Array.from({ length: size - 1 }, (_, n) => `f${n}`),
        ),
      ]),
    );
  const sizes = (...given: number[]): number[][] =>
    [...units(people(...given))].map((unit) =>
      unit.map((person) => 1 + (person.seen.lists[0]?.ids.length ?? 0)),
    );

  it('bounds what is written at once', () => {
    expect(sizes(75_000, 75_000, 1)).toEqual([[75_000, 75_000], [1]]);
    expect(sizes(75_000, 75_001)).toEqual([[75_000], [75_001]]);
    expect(sizes(160_000, 2)).toEqual([[160_000], [2]]);
    expect(sizes()).toEqual([]);
  });
});
