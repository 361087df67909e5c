import { Neighbours, type Neighbourhood, type Patience, type Scope } from '../domain/query-ports';
import { ref } from '../../test/builders';
import { DrawSurroundings, SURROUNDINGS_LIMITS } from './draw-surroundings';
import { FindMutualFriends, MUTUAL_LIMITS } from './find-mutual-friends';
import { FindPath, PATH_LIMITS } from './find-path';
import { FRIENDS_PER_WALK, Walk } from './walk';

/**
 *     1 - 2 - 3 - 4        8 - 9
 *     |   | /     |
 *     5 - 6 ----- 7
 */
const PAIRS = ['12', '23', '34', '15', '26', '36', '56', '47', '67', '89'];

class FewFriends extends Neighbours {
  readonly asked: { ids: string; limitMs: number; at: number | undefined }[] = [];
  pairs: [string, string][] = PAIRS.map((pair) => [pair[0] as string, pair[1] as string]);
  /** Of people that have no friends. */
  alone = ['7000'];

  async of(
    _: Scope,
    ids: readonly string[],
    { limitMs, at }: Patience & { at?: number },
  ): Promise<Map<string, Neighbourhood>> {
    this.asked.push({ ids: ids.join(' '), limitMs, at });
    const found = new Map<string, Neighbourhood>();
    for (const id of ids) {
      const pairs = at === 0 ? [] : this.pairs;
      const friends = pairs.flatMap(([a, b]) => (a === id ? b : b === id ? a : []));
      if (friends.length > 0 || this.alone.includes(id)) found.set(id, { name: `Name ${id}`, friends });
    }
    return found;
  }
}

function aWalk(neighbours = new FewFriends(), times: number[] = []) {
  const clock = { nowMs: () => 0, monotonicMs: () => times.shift() ?? 0 };
  return {
    asked: neighbours.asked,
    path: (from: string, to: string, maxLength = 6) =>
      new FindPath(neighbours, clock).execute(ref(from), to, maxLength),
    mutual: (ids: string[], limit = 9, after?: string) =>
      new FindMutualFriends(neighbours, clock).execute(ref(ids[0] as string), ids.slice(1), { limit, after }),
    draw: (id: string, depth: number, nodes: number, at?: number) =>
      new DrawSurroundings(neighbours, clock).execute(ref(id), { depth, nodes, at }),
  };
}

const unknown = (id: string) => ({
  code: 'GRAPH.PERSON_UNKNOWN',
  message: expect.stringContaining(`person ${id} `) as string,
});
const costly = (field: string, message: string) => ({
  code: 'QUERY.TOO_COSTLY',
  kind: 'unprocessable',
  message: `The question costs too much: ${field} ${message}`,
  fields: [{ field, message }],
});

describe('Walk', () => {
  it('keeps so many entries of lists in memory and no more', async () => {
    const clock = { nowMs: () => 0, monotonicMs: () => 0 };
    const walk = (friends: number) =>
      new Walk(new FewFriends(), clock, ref('1'), { timeMs: 10, people: 9, friends });
    const two = walk(5);
    await two.lookAt(['1', '2']);
    expect([two.of('1').friends.length, two.of('2').friends.length]).toEqual([2, 3]);
    await two.lookAt(['1', '2']);
    await expect(two.lookAt(['9'])).rejects.toMatchObject(
      costly('friends', 'of those to be looked at are more than 5'),
    );
    await expect(walk(4).lookAt(['1', '2'])).rejects.toMatchObject({ code: 'QUERY.TOO_COSTLY' });
    expect([FRIENDS_PER_WALK, PATH_LIMITS.friends]).toEqual([2_000_000, 2_000_000]);
  });
});

describe('FindPath', () => {
  it.each([
    ['1', '2', '12'],
    ['1', '4', '1234'],
    ['4', '1', '4321'],
    ['5', '4', '5634'],
    ['7', '1', '7621'],
    ['8', '9', '89'],
    ['3', '3', '3'],
  ])('finds the same shortest chain from %s to %s each time: %s', async (from, to, chain) => {
    const verdict = await aWalk().path(from, to);
    const people = [...chain].map((id) => ({ id, name: `Name ${id}` }));
    expect(verdict).toEqual({ kind: 'found', people });
  });

  it.each([
    ['1', '8', 6],
    ['1', '4', 2],
    ['1', '7000', 6],
    ['7000', '1', 6],
  ])('finds none from %s to %s within %i friendships', async (from, to, within) => {
    expect(await aWalk().path(from, to, within)).toEqual({ kind: 'none', within });
  });

  it('finds one of just the length allowed', async () => {
    expect(await aWalk().path('1', '4', 3)).toMatchObject({ kind: 'found' });
  });

  it('grows the smaller end, and looks at nobody twice', async () => {
    const neighbours = new FewFriends();
    const others = Array.from({ length: 50 }, (_, i) => String(100 + i));
    neighbours.pairs.push(...others.map((id): [string, string] => ['1', id]));
    const { asked, path } = aWalk(neighbours);
    await path('1', '4');
    expect(asked.map(({ ids }) => ids)).toEqual(['1 4', '3 7', '2']);
  });

  it('asks for a hundred at a time and stops where the ends meet', async () => {
    const neighbours = new FewFriends();
    const many = Array.from({ length: 250 }, (_, i) => String(1000 + i));
    neighbours.pairs = many.flatMap((id): [string, string][] => [
      ['1', id],
      [id, '2'],
    ]);
    neighbours.pairs.push(['2', '3'], ...many.map((id): [string, string] => ['3', `${id}9`]));
    const { asked, path } = aWalk(neighbours);
    expect(await path('1', '3')).toMatchObject({
      kind: 'found',
      people: [{ id: '1' }, { id: '1000' }, { id: '2', name: 'Name 2' }, { id: '3' }],
    });
    expect(asked.map(({ ids }) => ids.split(' ').length)).toEqual([2, 100, 1]);
  });

  it('refuses a longer search, and gives up when it takes too long or meets too many', async () => {
    await expect(aWalk().path('1', '4', PATH_LIMITS.length + 1)).rejects.toMatchObject(
      costly('maxLength', 'must be at most 10'),
    );
    expect(await aWalk().path('1', '4', PATH_LIMITS.length)).toMatchObject({ kind: 'found' });
    const late = aWalk(new FewFriends(), [0, 0, 3_000]).path('1', '4');
    await expect(late).rejects.toMatchObject(costly('time', 'needed is more than 3000 ms'));
    const wide = new FewFriends();
    const many = Array.from({ length: 19_999 }, (_, i) => String(10_000 + i));
    wide.pairs = [];
    wide.alone = ['1', '2', ...many];
    const of = wide.of.bind(wide);
    wide.of = async (scope, ids, options) => {
      const found = await of(scope, ids, options);
      for (const id of found.keys()) found.set(id, { friends: id.length > 1 ? [] : many });
      if (found.has('2')) found.set('2', { friends: many.map((id) => `x${id}`) });
      return found;
    };
    await expect(aWalk(wide).path('1', '2')).rejects.toMatchObject(
      costly('people', 'to be looked at are more than 20000'),
    );
  });

  it('knows who is unknown', async () => {
    await expect(aWalk().path('1', '77')).rejects.toMatchObject(unknown('77'));
    await expect(aWalk().path('77', '1')).rejects.toMatchObject(unknown('77'));
  });
});

describe('FindMutualFriends', () => {
  it.each([
    [
      ['1', '6'],
      ['2', '5'],
    ],
    [['2', '6'], ['3']],
    [['2'], ['1', '3', '6']],
    [
      ['2', '2'],
      ['1', '3', '6'],
    ],
    [['2', '5', '3'], ['6']],
    [['1', '4'], []],
    [['1', '7000'], []],
  ])('of %j are %j', async (people, ids) => {
    expect(await aWalk().mutual(people)).toEqual({ ids, next: undefined });
  });

  it('come page by page in order of ids', async () => {
    expect(await aWalk().mutual(['2'], 2)).toEqual({ ids: ['1', '3'], next: '3' });
    expect(await aWalk().mutual(['2'], 2, '3')).toEqual({ ids: ['6'], next: undefined });
    expect(await aWalk().mutual(['2'], 3)).toEqual({ ids: ['1', '3', '6'], next: undefined });
    const neighbours = new FewFriends();
    neighbours.pairs.push(['2', '10']);
    expect(await aWalk(neighbours).mutual(['2'], 9, '3')).toEqual({ ids: ['6', '10'], next: undefined });
  });

  it('are asked of ten others at most, all of them known', async () => {
    const others = ['2', '3', '4', '5', '6', '7', '8', '9', '7000', '12'];
    await expect(aWalk().mutual(['1', ...others, '13'])).rejects.toMatchObject(
      costly('with', `must name at most ${MUTUAL_LIMITS.with}`),
    );
    await expect(aWalk().mutual(['1', ...others])).rejects.toMatchObject(unknown('12'));
    const neighbours = new FewFriends();
    neighbours.alone.push('12');
    expect(await aWalk(neighbours).mutual(['1', ...others])).toEqual({ ids: [], next: undefined });
  });

  it('are not asked for longer than three seconds', async () => {
    const { asked, mutual } = aWalk(new FewFriends(), [1_000, 1_500]);
    await mutual(['1']);
    expect(asked).toEqual([{ ids: '1', limitMs: 2_500, at: undefined }]);
  });
});

describe('DrawSurroundings', () => {
  async function draw(depth: number, nodes: number) {
    const { people, friendships, truncated } = await aWalk().draw('1', depth, nodes);
    return [
      people.map(({ id, distance }) => `${id}${distance}`).join(' '),
      friendships.map((pair) => pair.join('')).join(' '),
      truncated,
    ];
  }

  it.each([
    [1, 9, '10 21 51', '12 15', false],
    [2, 9, '10 21 51 32 62', '12 15 23 26 36 56', false],
    [2, 5, '10 21 51 32 62', '12 15 23 26 36 56', false],
    [4, 9, '10 21 51 32 62 43 73', '12 15 23 26 34 36 47 56 67', false],
    [4, 6, '10 21 51 32 62 43', '12 15 23 26 34 36 56', true],
    [4, 4, '10 21 51 32', '12 15 23', true],
    [4, 2, '10 21', '12', true],
    [4, 1, '10', '', true],
  ])('finds within %i steps at most %i people: %s', async (depth, nodes, people, friendships, truncated) => {
    expect(await draw(depth, nodes)).toEqual([people, friendships, truncated]);
  });

  it('names people, and asks for each once', async () => {
    const { asked, draw: around } = aWalk();
    const { people } = await around('1', 2, 9);
    expect(people[1]).toEqual({ id: '2', distance: 1, name: 'Name 2' });
    expect(asked.map(({ ids }) => ids)).toEqual(['1', '2 5', '3 6']);
  });

  it('orders by number, and shows a friendship that one list has', async () => {
    const neighbours = new FewFriends();
    neighbours.of = async (_scope, ids) =>
      new Map(ids.map((id) => [id, { friends: id === '9' ? ['100', '20'] : id === '20' ? ['100'] : [] }]));
    const { people, friendships } = await aWalk(neighbours).draw('9', 1, 9);
    expect(people.map(({ id }) => id)).toEqual(['9', '20', '100']);
    expect(friendships).toEqual([
      ['9', '20'],
      ['9', '100'],
      ['20', '100'],
    ]);
  });

  it('knows somebody who had no friends yet at that moment', async () => {
    const { asked, draw: around } = aWalk();
    const found = await around('1', 1, 9, 0);
    expect(found.people).toEqual([{ id: '1', distance: 0, name: undefined }]);
    expect(asked.map(({ at }) => at)).toEqual([0, undefined]);
    await expect(around('77', 1, 9, 0)).rejects.toMatchObject(unknown('77'));
    await expect(around('77', 1, 9)).rejects.toMatchObject(unknown('77'));
  });

  it('refuses what is too large to draw', async () => {
    const { depth, nodes } = SURROUNDINGS_LIMITS;
    await expect(aWalk().draw('1', depth + 1, 5)).rejects.toMatchObject(costly('depth', 'must be at most 4'));
    await expect(aWalk().draw('1', 1, nodes + 1)).rejects.toMatchObject(
      costly('nodes', 'must be at most 1000'),
    );
    expect((await aWalk().draw('1', depth, nodes)).truncated).toBe(false);
  });
});
