import { GraphWalks, type KeyPair } from '../domain/ports';
import { ExploreSurroundings } from './explore-surroundings';

/** a-b, a-c, b-c, b-d, d-e. */
class FewFriends extends GraphWalks {
  readonly asked: string[] = [];
  pairs: KeyPair[] = [
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'c'],
    ['b', 'd'],
    ['d', 'e'],
  ];

  async friendshipsOfMany(people: readonly string[], limit: number): Promise<KeyPair[]> {
    this.asked.push(people.join(''));
    return this.pairs.filter(([a, b]) => people.includes(a) || people.includes(b)).slice(0, limit);
  }

  async friendshipsAmong(people: readonly string[]): Promise<KeyPair[]> {
    return this.pairs.filter(([a, b]) => people.includes(a) && people.includes(b));
  }
}

async function explore(depth: number, nodes: number, walks = new FewFriends()) {
  const { people, friendships, complete } = await new ExploreSurroundings(walks).execute('a', {
    depth,
    nodes,
  });
  return {
    people: people.map(({ key, distance }) => `${key}${distance}`).join(' '),
    friendships: friendships.map((pair) => pair.join('')).join(' '),
    complete,
  };
}

describe('ExploreSurroundings', () => {
  it.each([
    [0, 9, 'a0', '', true],
    [1, 9, 'a0 b1 c1', 'ab ac bc', true],
    [2, 9, 'a0 b1 c1 d2', 'ab ac bc bd', true],
    [9, 9, 'a0 b1 c1 d2 e3', 'ab ac bc bd de', true],
    [9, 5, 'a0 b1 c1 d2 e3', 'ab ac bc bd de', true],
    [9, 4, 'a0 b1 c1 d2', 'ab ac bc bd', false],
    [9, 3, 'a0 b1 c1', 'ab ac bc', false],
    [9, 2, 'a0 b1', 'ab', false],
    [9, 1, 'a0', '', false],
    [1, 3, 'a0 b1 c1', 'ab ac bc', true],
  ])('finds within %i steps at most %i people: %s', async (depth, nodes, people, friendships, complete) => {
    expect(await explore(depth, nodes)).toEqual({ people, friendships, complete });
  });

  it('asks once for each distance, and no more once there is no room', async () => {
    const walks = new FewFriends();
    await explore(9, 9, walks);
    expect(walks.asked).toEqual(['a', 'bc', 'd', 'e']);
    const cramped = new FewFriends();
    await explore(9, 2, cramped);
    expect(cramped.asked).toEqual(['a']);
  });

  it('says that it is incomplete when a step met more friendships than it looks at', async () => {
    const walks = new FewFriends();
    const pairs = Array.from({ length: 100_000 }, (): KeyPair => ['a', 'b']);
    walks.pairs = pairs;
    expect((await explore(2, 9, walks)).complete).toBe(false);
    walks.pairs = pairs.slice(1);
    expect((await explore(2, 9, walks)).complete).toBe(true);
  });
});
