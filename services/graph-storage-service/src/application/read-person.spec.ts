import { aList, ref, seen, stamp } from '../../test/builders';
import { InMemoryChangeLog, InMemoryGraph, InMemoryMeter } from '../infrastructure/in-memory';
import { ApplyObservations, type SeenPerson } from './apply-observations';
import { Confirmations } from './confirmations';
import { ReadPerson } from './read-person';

async function aGraph(more: SeenPerson[] = []) {
  const graph = new InMemoryGraph();
  const apply = new ApplyObservations(
    graph,
    new InMemoryChangeLog(),
    new InMemoryMeter(),
    new Confirmations(),
    { nowMs: () => 1, monotonicMs: () => 0 },
    { next: () => 0 },
    { wait: async () => {} },
  );
  const people = [
    ...more,
    seen('2', [aList(1, ['1', '3'])]),
    seen('3', [aList(2, ['2'])]),
    seen('1', [aList(5, [])]),
  ];
  await apply.execute({ partition: 0, positions: {}, heartbeat: async () => {}, people });
  return new ReadPerson(graph);
}

describe('ReadPerson', () => {
  it('shows each friendship from the side of the person asked about', async () => {
    const { items, next } = await (await aGraph()).friends(ref('2'), { limit: 10, after: undefined });
    expect(next).toBeUndefined();
    expect(items).toEqual([
      {
        id: '1',
        since: 1,
        until: undefined,
        seenInOwnList: expect.objectContaining({ callId: 'call-1' }),
        seenInFriendsList: undefined,
        disputed: true,
        deniedAt: stamp(5),
      },
      {
        id: '3',
        since: 1,
        until: undefined,
        seenInOwnList: expect.objectContaining({ callId: 'call-1' }),
        seenInFriendsList: expect.objectContaining({ callId: 'call-2' }),
        disputed: false,
        deniedAt: undefined,
      },
    ]);
    const other = await (await aGraph()).friends(ref('1'), { limit: 10, after: undefined });
    expect(other.items).toMatchObject([
      { id: '2', seenInOwnList: undefined, seenInFriendsList: { callId: 'call-1' } },
    ]);
  });

  it('disputes nothing that is merely unanswered', async () => {
    const { items } = await (
      await aGraph([seen('4', [aList(1, ['9'])])])
    ).friends(ref('9'), { limit: 10, after: undefined });
    expect(items).toMatchObject([{ id: '4', disputed: false, deniedAt: undefined }]);
  });

  it('gives pages', async () => {
    const people = await aGraph();
    const first = await people.friends(ref('2'), { limit: 1, after: undefined });
    expect([first.items.map(({ id }) => id), first.next]).toEqual([['1'], 'demo.vk.1.2']);
    const second = await people.friends(ref('2'), { limit: 1, after: first.next });
    expect([second.items.map(({ id }) => id), second.next]).toEqual([['3'], undefined]);
    expect((await people.friends(ref('2'), { limit: 1, after: 'demo.vk.9.9' })).items).toEqual([]);
  });

  it('knows nobody outside the workspace', async () => {
    const people = await aGraph();
    const unknown = { code: 'GRAPH.PERSON_UNKNOWN', kind: 'not-found' };
    await expect(people.person(ref('2', 'other'))).rejects.toMatchObject(unknown);
    await expect(people.friends(ref('2', 'other'), { limit: 5, after: undefined })).rejects.toMatchObject(
      unknown,
    );
    await expect(people.friends(ref('99'), { limit: 5, after: undefined })).rejects.toMatchObject(unknown);
    expect((await people.person(ref('2'))).list.base?.ids).toEqual(['1', '3']);
  });

  it('shows what lasted at a moment, and what changed between two', async () => {
    const people = await aGraph();
    const page = { limit: 10, after: undefined };
    expect((await people.friends(ref('2'), { ...page, at: 0 })).items).toEqual([]);
    expect((await people.friends(ref('2'), { ...page, at: 1 })).items.map(({ id }) => id)).toEqual([
      '1',
      '3',
    ]);
    expect(await people.changes(ref('2'), { ...page, from: 0, to: 1 })).toEqual({
      items: [
        { id: '1', change: 'added' },
        { id: '3', change: 'added' },
      ],
      next: undefined,
    });
    expect((await people.changes(ref('2'), { ...page, from: 1, to: 9 })).items).toEqual([]);
    await expect(people.changes(ref('77'), { ...page, from: 1, to: 9 })).rejects.toMatchObject({
      code: 'GRAPH.PERSON_UNKNOWN',
    });
    expect((await people.changes(ref('77'), { ...page, after: 'x', from: 1, to: 9 })).items).toEqual([]);
  });
});
