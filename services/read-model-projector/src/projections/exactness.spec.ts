import { seededChance } from '@sociograph/testing';
import { recordKey } from '@sociograph/contracts';
import { SystemClock } from '@sociograph/kernel';
import { countAnew, inSlices } from './full-recount';
import type { GraphView } from './graph-view';
import type { ChangeRecord, VertexChange } from './ports';
import { recount } from './recount';
import { figureDifferences } from './recount-graph';
import { Views } from './views';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed + 1);

// For a machine that does much else.
jest.setTimeout(60_000);

describe('the figures of a graph', () => {
  it.each(SEEDS)('equal two full recounts after adds, removals and duplicates (seed %i)', (seed) => {
    const random = seededChance(seed);
    const views = new Views(1);
    for (const record of history(seed, 900)) {
      views.take(record);
      // A tenth comes a second time; a version that was seen changes nothing.
      if (record.change !== undefined && random() < 0.1) expect(views.take(record)).toBe(0);
    }
    const [view] = views.all() as [GraphView];
    const kept = view.figures();
    const counted = finish(countAnew(view.snapshot(), view.partitionCount));
    expect(counted).toEqual(kept);
    const naive = recount(view.graph.assertions());
    expect(kept.summary).toEqual(naive.summary);
    for (const [id, { degree, triangles }] of naive.people) {
      const person = view.graph.numberOf(id)!;
      expect([id, kept.degrees[person], kept.triangles[person]]).toEqual([id, degree, triangles]);
    }
  });

  it.each(SEEDS)('hash to the same when all comes five times, shuffled within 1,000 (seed %i)', (seed) => {
    const records = history(seed, 1200).filter(({ change }) => change !== undefined);
    const clean = new Views(1);
    for (const record of records) clean.take(record);
    const random = seededChance(seed + 100);
    const many = records.flatMap((record, at) =>
      Array.from({ length: 5 }, () => ({ record, place: at + random() * 1000 })),
    );
    const shuffled = new Views(1);
    for (const { record } of many.sort((a, b) => a.place - b.place)) shuffled.take(record);
    expect(shuffled.hashes()).toEqual(clean.hashes());
    const [ours, theirs] = [shuffled.all()[0]!.figures().summary, clean.all()[0]!.figures().summary];
    expect(ours).toEqual(theirs);
  });
});

describe('a full recount', () => {
  it('gives zeros for nobody, and for people without friends', async () => {
    const views = new Views(1);
    const view = views.graph('demo', 'vk');
    const nobody = finish(countAnew(view.snapshot(), view.partitionCount)).summary;
    expect(nobody).toEqual(recount([]).summary);
    views.take({ change: person('1', ['1', 'x'], 1) });
    const counted = await inSlices(countAnew(view.snapshot(), view.partitionCount), new SystemClock());
    expect(counted).toEqual(view.figures());
    expect(counted.summary).toMatchObject({ users: 1, friendships: 0, components: 1, largestComponent: 1 });
  });

  it('names what is not as it was counted', () => {
    const views = new Views(1);
    for (const id of ['1', '2', '3']) views.take({ change: person(id, ['1', '2'], 1) });
    const [view] = views.all() as [GraphView];
    const counted = finish(countAnew(view.snapshot(), view.partitionCount));
    expect(figureDifferences(view.figures(), counted)).toEqual([]);
    view.graph.counts.triangles++;
    view.hash.document(0, 'other', 1);
    const differences = figureDifferences(view.figures(), counted);
    expect(differences.map(({ what }) => what).sort()).toEqual([
      'closedTriangleFraction',
      expect.stringMatching(/^hash of partition \d+$/),
      'transitivity',
      'triangles',
    ]);
    expect(differences.find(({ what }) => what === 'triangles')).toEqual({
      what: 'triangles',
      kept: 2,
      counted: 1,
    });
  });

  it('lets timers in while it counts', async () => {
    const views = new Views(1);
    for (let id = 0; id < 1500; id++) {
      const friends = Array.from({ length: 30 }, (_, i) => String((id * 31 + i * 97) % 1500));
      views.take({ change: person(String(id), friends, 1) });
    }
    const [view] = views.all() as [GraphView];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const steps = countAnew(view.snapshot(), view.partitionCount);
    let yields = 0;
    while (steps.next().done !== true) yields++;
    expect(yields).toBeGreaterThan(50);
    await inSlices(countAnew(view.snapshot(), view.partitionCount), new SystemClock());
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });
});

/** Changes of random people as the log would bring them: documents and lists that come, change and go, and erasures. */
function history(seed: number, length: number): ChangeRecord[] {
  const random = seededChance(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const size = 20 + seed * 6;
  const versions = new Map<string, number>();
  return Array.from({ length }, (_, offset) => {
    const id = random() < 0.1 ? `club-${pick(5)}` : String(pick(size));
    const version = (versions.get(id) ?? 0) + 1;
    versions.set(id, version);
    if (random() < 0.03) return { partition: 0, offset, erased: recordKey('demo', 'vk', 'user', id) };
    const friends = Array.from({ length: pick(random() < 0.7 ? 6 : size) }, () => String(pick(size + 10)));
    if (random() < 0.15) return beside(offset, versions, pick);
    const { document, ...listOnly } = person(id, friends, version);
    if (random() < 0.3) {
      const ids = Array.from({ length: pick(5) }, () => String(pick(9)));
      listOnly[(['groups', 'pages', 'follows'] as const)[pick(3)]!] = {
        ids,
        complete: true,
        observedAt: 1,
        fence: 1,
      };
    }
    return { partition: 0, offset, change: random() < 0.1 ? listOnly : { ...listOnly, document } };
  });
}

/** A group or post that comes, changes or goes. */
function beside(
  offset: number,
  versions: Map<string, number>,
  pick: (count: number) => number,
): ChangeRecord {
  const kind = (['group', 'post'] as const)[pick(2)]!;
  const id = kind === 'group' ? String(pick(9)) : `${pick(5)}_${pick(9)}`;
  const key = recordKey('demo', 'vk', kind, id);
  const version = (versions.get(key) ?? 0) + 1;
  versions.set(key, version);
  if (pick(10) === 0) return { partition: 0, offset, erased: key };
  const seen = { observedAt: version, fence: 1 };
  const content = { ownerKind: 'user' as const, ownerId: id.split('_')[0]!, publishedAt: pick(5), text: 'A' };
  const change = { workspaceId: 'demo', network: 'vk', kind, id, version, changedAt: 1 };
  if (kind === 'post') return { partition: 0, offset, change: { ...change, post: { content, ...seen } } };
  const group = { state: 'active' as const, profile: { name: `G${pick(3)}` }, ...seen };
  return { partition: 0, offset, change: { ...change, group } };
}

function person(id: string, friends: string[], version: number): VertexChange {
  const seen = { observedAt: version, fence: 1 };
  return {
    workspaceId: 'demo',
    network: 'vk',
    kind: 'user',
    id,
    version,
    changedAt: 1,
    document: { state: 'active', profile: { firstName: `A${version % 3}`, lastName: 'B' }, ...seen },
    friends: { ids: friends, complete: true, ...seen },
  };
}

function finish<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
