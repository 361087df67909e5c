import { Clock, TimeOrderedIds } from '@sociograph/kernel';
import { InMemoryCheckpointStore } from '../infrastructure/in-memory-jobs';
import { AppliedPositions } from './applied-positions';
import { Checkpoints, MAX_AGE_MS } from './checkpoints';
import type { VertexChange } from './ports';
import { Projector, type ProjectorPorts } from './projector';
import { Views } from './views';

const CHANGES = 'sociograph.graph.changes.v1';

class SetClock extends Clock {
  now = 1_795_000_000_000;

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }
}

function person(id: string, friends: string[], details: Partial<VertexChange> = {}): VertexChange {
  const seen = { observedAt: 1, fence: 1 };
  return {
    workspaceId: 'demo',
    network: 'vk',
    kind: 'user',
    id,
    version: 1,
    changedAt: 1,
    document: { state: 'active', profile: { firstName: `A${id}`, lastName: 'B' }, ...seen },
    friends: { ids: friends, complete: true, ...seen },
    ...details,
  };
}

/** Many graphs and people, some only named, some only listed, one erased. */
function filled(): Projector {
  const state = { views: new Views(1), positions: new AppliedPositions() };
  const projector = new Projector({ clock: new SetClock() } as unknown as ProjectorPorts, 1, state);
  let offset = 0;
  const take = (change: VertexChange): void => {
    projector.take({ partition: offset % 3, offset: offset++, change, source: { other: { '1': offset } } });
  };
  for (let i = 0; i < 2500; i++)
    take(person(String(i), [String((i * 7) % 2500), String(i + 1), 'named-only']));
  take(person('1', ['2'], { workspaceId: 'other' }));
  take(person('listed', ['5', '6'], { document: undefined }));
  take(person('9', [], { version: 2 }));
  const seen = { observedAt: 1, fence: 1 };
  const lists = { groups: { ids: ['3', '1'], complete: true, ...seen } };
  take(person('10', ['11'], { version: 2, ...lists }));
  take(person('shows-only', [], { document: undefined, ...lists }));
  const nothing = { document: undefined, friends: undefined } as unknown as Partial<VertexChange>;
  take(
    person('1', [], {
      ...nothing,
      kind: 'group',
      group: { state: 'active', profile: { name: 'Chess' }, ...seen },
    }),
  );
  const content = { ownerKind: 'user' as const, ownerId: '10', publishedAt: 5, text: 'First snow' };
  take(person('10_1', [], { ...nothing, kind: 'post', post: { content, ...seen } }));
  take(person('gone-for-good', ['17']));
  projector.take({ partition: 0, offset: offset++, erased: 'demo:vk:user:gone-for-good' });
  projector.take({ partition: 0, offset: offset++, erased: 'demo:vk:user:17' });
  return projector;
}

describe('checkpoints', () => {
  const clock = new SetClock();
  let store: InMemoryCheckpointStore;
  let checkpoints: Checkpoints;

  beforeEach(() => {
    clock.now = 1_795_000_000_000;
    store = new InMemoryCheckpointStore();
    checkpoints = new Checkpoints(store, clock, new TimeOrderedIds());
  });

  it('are absent before the first one', async () => {
    expect(await checkpoints.load(2)).toBeUndefined();
  });

  it('give back the whole state: hashes, figures, positions, and what versions were seen', async () => {
    const projector = filled();
    const before = projector.snapshot();
    await checkpoints.save(before);
    clock.now += 5_000;
    const resumed = (await checkpoints.load(7))!;
    expect(resumed.ageMs).toBe(5_000);
    expect(resumed.from).toEqual(
      new Map(before.reached.map(({ partition, positions }) => [partition, positions[CHANGES]![partition]!])),
    );
    expect([...resumed.from.values()].every((next) => next > 800)).toBe(true);
    const again = new Projector({ clock: new SetClock() } as unknown as ProjectorPorts, 7, resumed);
    expect(again.snapshot().hashes).toEqual(before.hashes);
    expect(again.snapshot().reached).toEqual(before.reached);
    expect(again.sizes()).toEqual(projector.sizes());
    expect(again.hasPending).toBe(true);
    const copy = (await checkpoints.load(7))!.views.takePending(3)!;
    expect(copy.graphs.sort()).toEqual(['demo.vk', 'other.vk']);
    expect([...copy.profiles(5_000)].flatMap(({ written }) => written)).toHaveLength(
      projector.sizes().people,
    );
    // Versions count on: a late change is still late, the next one is not.
    expect(again.take({ partition: 0, offset: 9_999, change: person('9', ['10'], { version: 2 }) })).toBe(0);
    expect(again.take({ partition: 0, offset: 10_000, change: person('9', ['11'], { version: 3 }) })).toBe(1);
  });

  it('are of one moment: what happens while they are written does not show', async () => {
    const projector = filled();
    const before = projector.snapshot();
    projector.take({ partition: 0, offset: 20_000, change: person('3', [], { version: 5 }) });
    projector.take({ partition: 0, offset: 20_001, change: person('new', ['3'], { version: 5 }) });
    await checkpoints.save(before);
    const resumed = (await checkpoints.load(2))!;
    expect(resumed.views.hashes()).toEqual(before.hashes);
    expect(projector.snapshot().hashes).not.toEqual(before.hashes);
  });

  it('replace each other, chunks and all', async () => {
    await checkpoints.save(filled().snapshot());
    const first = store.newest!.id;
    await checkpoints.save(filled().snapshot());
    expect([...store.kept.keys()].some((key) => key.startsWith(first))).toBe(false);
    expect(await checkpoints.load(2)).toBeDefined();
  });

  it('are not used when they are older than tombstones are kept, nor in another format', async () => {
    await checkpoints.save(filled().snapshot());
    clock.now += MAX_AGE_MS;
    expect(await checkpoints.load(2)).toBeDefined();
    clock.now += 1;
    expect(await checkpoints.load(2)).toBeUndefined();
    clock.now -= 10;
    store.newest!.format = 0;
    expect(await checkpoints.load(2)).toBeUndefined();
  });

  it.each<[string, (text: string) => string]>([
    ['lacks a name in a list', (text) => text.replace(/,\[(\d+),/, ',[')],
    ['has another profile', (text) => text.replace('"A7"', '"A8"')],
    ['is cut', (text) => text.slice(0, -30)],
    ['begins in the middle', (text) => text.slice(text.indexOf('\n') + 1)],
  ])('are refused when a chunk %s', async (_, change) => {
    await checkpoints.save(filled().snapshot());
    const [key, chunk] = [...store.kept][0]!;
    expect(change(chunk)).not.toBe(chunk);
    store.kept.set(key, change(chunk));
    await expect(checkpoints.load(2)).rejects.toMatchObject({ code: 'VIEWS.CHECKPOINT_BROKEN', kind: 'bug' });
  });

  it('are refused when a chunk is missing', async () => {
    await checkpoints.save(filled().snapshot());
    store.kept.clear();
    await expect(checkpoints.load(2)).rejects.toMatchObject({ code: 'VIEWS.CHECKPOINT_BROKEN' });
  });
});
