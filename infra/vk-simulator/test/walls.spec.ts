import { Bench, ring } from './stand';

interface Post {
  id: number;
  owner_id: number;
  from_id: number;
  date: number;
  is_pinned?: number;
  copy_history?: Post[];
}
interface Wall {
  count: number;
  items: Post[];
}

const BANNED = -20_000_004;
const CLOSED = -20_000_005;
const DISABLED = -20_000_006;
const BLOCKED = -20_000_007;

describe('walls', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.of(
      ring(60),
      ...[
        '--deleted',
        '7',
        '--private',
        '8',
        '--closed-walls',
        `9,${DISABLED}`,
        '--blocked-walls',
        `10,${BLOCKED}`,
      ],
      ...['--banned-groups', String(-BANNED), '--closed-groups', String(-CLOSED), '--budget', 'none'],
    );
  });
  afterAll(() => bench.close());

  const wall = (parameters: Record<string, string | number>) => bench.response<Wall>('wall.get', parameters);
  const whole = async (owner_id: number): Promise<Post[]> => {
    const posts: Post[] = [];
    for (let offset = 0; ; offset += 100) {
      const { items } = await wall({ owner_id, offset, count: 100 });
      posts.push(...items);
      if (items.length < 100) return posts;
    }
  };

  it('are newest first, but for a pinned post, which comes first; pages fit together', async () => {
    let pinned = 0;
    for (let group = 1; group <= 12; group += 1) {
      const owner_id = -20_000_010 - group;
      const posts = await whole(owner_id);
      const { count } = await wall({ owner_id, count: 0 });
      expect(posts).toHaveLength(count);
      expect(new Set(posts.map(({ id }) => id)).size).toBe(count);
      expect(posts.every((post) => post.owner_id === owner_id)).toBe(true);
      const unpinned = posts.filter((post) => post.is_pinned !== 1);
      const dates = unpinned.map(({ date }) => date);
      expect(dates).toEqual([...dates].sort((a, b) => b - a));
      expect(new Set(dates).size).toBe(dates.length);
      if (unpinned.length < posts.length) {
        pinned += 1;
        expect([posts.length - unpinned.length, posts[0]?.is_pinned]).toEqual([1, 1]);
        expect(posts[0]?.date).toBeLessThan(posts[1]?.date ?? 0);
      }
      const page = await bench.page(`/walls?owner=${owner_id}`);
      expect((page['posts'] as { post: string }[]).map(({ post }) => post)).toEqual(
        posts.map(({ id }) => `${owner_id}_${id}`),
      );
    }
    expect(pinned).toBeGreaterThan(0);
    expect(pinned).toBeLessThan(12);
  });

  it('give 20 posts unless told and 100 at most', async () => {
    const owner_id = -20_000_001;
    expect((await wall({ owner_id })).items).toHaveLength(20);
    expect((await wall({ owner_id, count: 1000 })).items).toHaveLength(100);
    expect((await wall({ owner_id, count: 3, offset: 1_000_000 })).items).toEqual([]);
    expect(await wall({ domain: 'club20000001', count: 2 })).toEqual(await wall({ owner_id, count: 2 }));
    expect(await bench.response('wall.get', {})).toEqual({ count: 0, items: [] });
  });

  it("tell the owner's posts from those of others, whose authors are friends", async () => {
    let others = 0;
    for (let owner_id = 11; owner_id <= 40; owner_id += 1) {
      const all = await wall({ owner_id, count: 100 });
      const own = await wall({ owner_id, filter: 'owner', count: 100 });
      const foreign = await wall({ owner_id, filter: 'others', count: 100 });
      expect(own.count + foreign.count).toBe(all.count);
      expect(own.items.every((post) => post.from_id === owner_id)).toBe(true);
      const friends = (await bench.response<{ items: number[] }>('friends.get', { user_id: owner_id })).items;
      expect(foreign.items.every((post) => friends.includes(post.from_id))).toBe(true);
      others += foreign.count;
    }
    expect(others).toBeGreaterThan(5);
    expect((await wall({ owner_id: 11, filter: 'postponed' })).count).toBe(0);
  });

  it('repost what is older, and name everybody whom the posts name when extended', async () => {
    let chains = 0;
    for (let owner_id = 11; owner_id <= 60; owner_id += 1) {
      const { items, profiles, groups } = await bench.response<
        Wall & { profiles: { id: number }[]; groups: { id: number }[] }
      >('wall.get', { owner_id, count: 100, extended: 1 });
      const named = new Set([...profiles.map(({ id }) => id), ...groups.map(({ id }) => -id)]);
      for (const post of items) {
        const chain = [post, ...(post.copy_history ?? [])];
        chains = Math.max(chains, chain.length);
        for (const [at, one] of chain.entries()) {
          expect(named.has(one.owner_id) && named.has(one.from_id)).toBe(true);
          if (at > 0) expect(one.date).toBeLessThan((chain[at - 1] as Post).date);
        }
      }
      const long = items.find((post) => (post.copy_history?.length ?? 0) > 1);
      if (long === undefined) continue;
      const posts = `${owner_id}_${long.id}`;
      const [short] = await bench.response<Post[]>('wall.getById', {
        posts,
        copy_history_depth: 1,
        v: '5.131',
      });
      expect(short?.copy_history).toEqual(long.copy_history?.slice(0, 1));
    }
    expect(chains).toBeGreaterThan(2);
  });

  it('give single posts in the order asked for, as a list or as an object, without those not to be had', async () => {
    const [a, b] = (await wall({ owner_id: -20_000_001, count: 2 })).items as [Post, Post];
    const posts = [b, a].map(({ owner_id, id }) => `${owner_id}_${id}`).join(', ');
    const asked = { posts: `${posts},-20000001_1,999_3,7_3,9_3,${BANNED}_4` };
    expect(await bench.response('wall.getById', { ...asked, v: '5.131' })).toEqual([b, a]);
    expect(await bench.response('wall.getById', { ...asked, v: '5.199' })).toEqual({ items: [b, a] });
    expect(await bench.response('wall.getById', { ...asked, v: '5.131', extended: 1 })).toMatchObject({
      items: [b, a],
    });
  });

  const parameter = (detail: string) => `One of the parameters specified was missing or invalid: ${detail}`;
  it.each([
    ['wall.get', { owner_id: 7 }, 0, 18, 'User was deleted or banned'],
    ['wall.get', { owner_id: 8 }, 0, 30, 'This profile is private'],
    ['wall.get', { owner_id: 9 }, 0, 15, 'Access denied: user hid his wall from accessing from outside'],
    ['wall.get', { owner_id: 10 }, 0, 19, 'Content blocked'],
    ['wall.get', { owner_id: 61 }, 0, 113, 'Invalid user id'],
    ['wall.get', { owner_id: -5 }, 0, 125, 'Invalid group id'],
    ['wall.get', { domain: 'nobody' }, 0, 113, 'Invalid user id'],
    ['wall.get', { owner_id: BANNED }, 2, 15, 'Access denied: group is blocked'],
    [
      'wall.get',
      { owner_id: CLOSED },
      2,
      15,
      'Access denied: this wall available only for community members',
    ],
    ['wall.get', { owner_id: DISABLED }, 2, 15, 'Access denied: wall is disabled'],
    ['wall.get', { owner_id: BLOCKED }, 2, 19, 'Content blocked'],
    ['wall.get', {}, 2, 100, parameter('owner_id is undefined')],
    ['wall.get', { owner_id: 'me' }, 0, 100, parameter('owner_id not integer')],
    ['wall.get', { owner_id: 1, filter: 'mine' }, 0, 100, parameter('filter is invalid')],
    ['wall.get', { owner_id: 1, count: -1 }, 0, 100, parameter('count should be positive')],
    [
      'wall.get',
      { owner_id: 1 },
      3,
      27,
      'Group authorization failed: method is unavailable with group auth.',
    ],
    ['wall.getById', {}, 0, 100, parameter('posts is undefined')],
    ['wall.getById', { posts: '1_2_3' }, 0, 100, parameter('posts is invalid')],
    ['wall.getById', { posts: '1_2,'.repeat(101) }, 0, 100, parameter('posts is invalid')],
    [
      'wall.getById',
      { posts: '1_2' },
      3,
      27,
      'Group authorization failed: method is unavailable with group auth.',
    ],
  ] as [string, Record<string, string | number>, number, number, string][])(
    '%s %j of key %i is refused with %i',
    async (method, parameters, key, code, message) => {
      expect(await bench.refusal(method, parameters, key)).toEqual([code, message]);
    },
  );
});
