import { Bench, ring } from './stand';

interface List<T> {
  count: number;
  items: T[];
}

describe('a world that moves while one pages', () => {
  it('shows a post twice where others appeared above it, and counts one more each time', async () => {
    const bench = await Bench.of(ring(60), '--new-posts', '1');
    const seen: number[] = [];
    const counts: number[] = [];
    for (let offset = 0; offset < 60; offset += 20) {
      const page = await bench.response<List<{ id: number }>>('wall.get', { owner_id: -20_000_001, offset });
      counts.push(page.count);
      seen.push(...page.items.map(({ id }) => id));
    }
    const [first = 0] = counts;
    expect(counts).toEqual([first, first + 1, first + 2]);
    expect(seen.length - new Set(seen).size).toBe(2);
    const again = await bench.response<List<{ date: number }>>('wall.get', {
      owner_id: -20_000_001,
      count: 1,
    });
    const clock = (await bench.page('/clock'))['clock'] as number;
    expect(Math.abs((again.items[0]?.date ?? 0) - clock / 1000)).toBeLessThan(10);
    await bench.reset();
    expect((await bench.response<List<object>>('wall.get', { owner_id: -20_000_001 })).count).toBe(first);
    await bench.close();
  });

  it('shows the same of friend lists, at every n-th page, and both sides have the new friend', async () => {
    const bench = await Bench.of(ring(60), '--new-friends', '2');
    const counts: number[] = [];
    for (let offset = 0; offset < 10; offset += 2) {
      counts.push(
        (await bench.response<List<number>>('friends.get', { user_id: 5, offset, count: 2 })).count,
      );
    }
    expect(counts).toEqual([12, 12, 13, 13, 14]);
    const { events } = (await bench.page('/drift')) as {
      events: { kind: string; of: number; other: number }[];
    };
    expect(events.map(({ kind, of }) => [kind, of])).toEqual([
      ['friend', 5],
      ['friend', 5],
    ]);
    for (const { other } of events) {
      const { items } = await bench.response<List<number>>('friends.get', { user_id: other });
      expect(items).toContain(5);
      expect(items).toEqual([...items].sort((a, b) => a - b));
    }
    await bench.close();
  });

  it('moves when told: friends come and go, posts appear; and says what it cannot do', async () => {
    const bench = await Bench.of(ring(60));
    const friends = async (user_id: number) =>
      (await bench.response<List<number>>('friends.get', { user_id })).items;
    const before = await friends(30);
    await bench.page('/drift?person=30&friend=50', 'POST');
    expect(await friends(30)).toEqual([...before, 50].sort((a, b) => a - b));
    expect(await friends(50)).toContain(30);
    expect((await bench.page('/drift?person=30&friend=50', 'POST'))['events']).toEqual([]);
    await bench.page('/drift?person=50&without=30', 'POST');
    await bench.page('/drift?person=30&without=31', 'POST');
    expect(await friends(30)).toEqual(before.filter((id) => id !== 31));
    expect(await friends(31)).not.toContain(30);
    const { count } = await bench.response<List<object>>('wall.get', { owner_id: 30 });
    await bench.page('/drift?wall=30&posts=3', 'POST');
    expect((await bench.response<List<object>>('wall.get', { owner_id: 30 })).count).toBe(count + 3);
    for (const [query, error] of [
      ['person=99&friend=1', 'person, friend and without must be ids of people of the graph.'],
      ['person=1', 'person, friend and without must be ids of people of the graph.'],
      ['wall=99', 'No wall has this owner.'],
      ['wall=1&posts=0', 'posts must be 1 to 10000.'],
    ]) {
      expect(await bench.page(`/drift?${query}`, 'POST')).toEqual({ error });
    }
    await bench.close();
  });
});
