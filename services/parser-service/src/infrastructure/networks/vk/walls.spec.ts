import { Secret } from '@sociograph/kernel';
import { aCallContent } from '../../../../test/builders';
import type { WallReach } from '../../../domain/import-scope';
import type { ItemOutcome } from '../../../domain/items';
import type { CallContent } from '../../../domain/ports';
import { VkNetwork } from './client';

const vk = new VkNetwork();
const of = (people: string[], changes: Partial<CallContent> = {}): CallContent => ({
  ...aCallContent('walls', people),
  ...changes,
});
const scopeOf = (walls: Partial<WallReach>) => ({
  include: ['walls'] as const,
  fields: [],
  walls: { since: null, last: null, ...walls },
});
const script = (content: CallContent): string =>
  new URLSearchParams(vk.request(content, new Secret('t')).body).get('code') ?? '';

interface VkPost {
  id: number;
  date: number;
  is_pinned?: number;
}

/** Posts 1..n, one a second from 1,000 s on, newest first as VK lists them. */
const posts = (count: number, from = 1): VkPost[] =>
  Array.from({ length: count }, (_, index) => ({ id: from + index, date: 1_000 + from + index })).reverse();

/** A wall as calls find it, a page each; it may change before each call. */
class Wall {
  calls = 0;
  readonly seen: ItemOutcome[] = [];
  private cursor: string | undefined;

  constructor(
    public posts: VkPost[],
    private readonly reach: Partial<WallReach> = {},
    private readonly beforeCall: (call: number, wall: Wall) => void = () => undefined,
  ) {}

  walk(): { ids: number[]; last: ItemOutcome | undefined } {
    do {
      this.calls += 1;
      this.beforeCall(this.calls, this);
      const cursors: Record<string, string> = this.cursor === undefined ? {} : { '7': this.cursor };
      const content = of(['7'], { cursors, scope: scopeOf(this.reach) });
      const offset = Number(/var offsets = \[(\d+)\]/.exec(script(content))?.[1]);
      const items = this.posts
        .slice(offset, offset + 100)
        .map((post) => ({ ...post, owner_id: 7, from_id: 7, text: 'x' }));
      const response = [{ count: this.posts.length, items }];
      const reading = vk.read(content, 200, JSON.stringify({ response }));
      const outcome = reading.kind === 'read' ? reading.outcomes.get('7') : undefined;
      if (outcome === undefined) throw new Error('nothing read');
      this.seen.push(outcome);
      this.cursor = outcome.kind === 'seen' && outcome.rest.kind === 'more' ? outcome.rest.cursor : undefined;
    } while (this.cursor !== undefined && this.calls < 50);
    const ids = this.seen.flatMap((outcome) =>
      outcome.kind === 'seen'
        ? outcome.observations.map((one) => (one.kind === 'post' ? Number(one.postId.split('_')[1]) : 0))
        : [],
    );
    return { ids, last: this.seen.at(-1) };
  }
}

const whole = { kind: 'seen', rest: { kind: 'none' } };
const upTo = (count: number, from = 1): number[] => posts(count, from).map(({ id }) => id);

describe('walls from VK', () => {
  it('are asked for a page each, of fewer posts after a call that failed', () => {
    expect(script(of(['7', '-5']))).toBe(
      'var ids = [7,-5]; var offsets = [0,0]; var out = []; var i = 0; while (i < ids.length) ' +
        '{ out.push(API.wall.get({"owner_id": ids[i], "count": 100, "offset": offsets[i]})); i = i + 1; } return out;',
    );
    const counts = [1, 2, 3, 4, 9].map((tries) => /"count": (\d+)/.exec(script(of(['7'], { tries })))?.[1]);
    expect(counts).toEqual(['50', '25', '12', '10', '10']);
  });

  it('show posts with their owner, author, counts and source', () => {
    const item = {
      ...{ id: 3, owner_id: -5, from_id: 9, date: 1_000, text: 'a'.repeat(100_001) },
      ...{ likes: { count: 1 }, reposts: { count: 2 }, comments: { count: 3 }, views: { count: 4 } },
      copy_history: [{ id: 8, owner_id: 6 }],
    };
    const plain = { id: 2, owner_id: -5, from_id: -5, date: 999, text: '' };
    const response = [{ count: 2, items: [item, plain] }];
    const reading = vk.read(of(['-5']), 200, JSON.stringify({ response }));
    const head = { ownerKind: 'group', ownerId: '5' };
    expect(reading.kind === 'read' && reading.outcomes.get('-5')).toEqual({
      kind: 'seen',
      observations: [
        {
          kind: 'post',
          postId: '-5_3',
          post: {
            ...head,
            authorId: '9',
            publishedAt: 1_000_000,
            text: 'a'.repeat(100_000),
            ...{ likes: 1, reposts: 2, comments: 3, views: 4, repostOf: '6_8' },
          },
        },
        { kind: 'post', postId: '-5_2', post: { ...head, publishedAt: 999_000, text: '' } },
      ],
      met: [],
      rest: { kind: 'none' },
    });
  });

  it.each([
    [0, 1],
    [1, 1],
    [100, 1],
    [101, 2],
    [199, 2],
    [200, 3],
    [250, 3],
  ])('of %s posts are read whole in %s calls', (count, calls) => {
    const wall = new Wall(posts(count));
    const { ids, last } = wall.walk();
    expect([wall.calls, ids]).toEqual([calls, upTo(count)]);
    expect(last).toMatchObject(whole);
  });

  it('are read since a moment, that moment included', () => {
    const wall = new Wall(posts(250), { since: 1_101_000 });
    expect(wall.walk().ids).toEqual(upTo(150, 101));
    expect(wall.calls).toBe(2);
    expect(new Wall(posts(5), { since: 9_000_000 }).walk()).toMatchObject({ ids: [], last: whole });
  });

  it.each([
    [1, 1],
    [99, 1],
    [100, 1],
    [101, 2],
    [150, 2],
    [300, 3],
  ])('are read as far as the last %s posts, in %s calls', (last, calls) => {
    const wall = new Wall(posts(250), { last });
    expect(wall.walk().ids).toEqual(upTo(250).slice(0, last));
    expect(wall.calls).toBe(calls);
  });

  it('are read as far as both bounds allow', () => {
    expect(new Wall(posts(50), { last: 5, since: 1_048_000 }).walk().ids).toEqual([50, 49, 48]);
    expect(new Wall(posts(50), { last: 2, since: 1_048_000 }).walk().ids).toEqual([50, 49]);
  });

  describe('with a pinned post at the top', () => {
    const pinned = (id: number, count: number): VkPost[] => {
      const all = posts(count);
      const one = all.find((post) => post.id === id);
      return [{ ...(one as VkPost), is_pinned: 1 }, ...all.filter((post) => post.id !== id)];
    };

    it('have it at its place by date', () => {
      expect(new Wall(pinned(3, 5)).walk().ids).toEqual([5, 4, 3, 2, 1]);
      expect(new Wall(pinned(3, 5), { last: 3 }).walk().ids).toEqual([5, 4, 3]);
      expect(new Wall(pinned(3, 5), { last: 2 }).walk().ids).toEqual([5, 4]);
      expect(new Wall(pinned(3, 5), { since: 1_004_000 }).walk().ids).toEqual([5, 4]);
    });

    it('show it with the first page when it belongs farther down, and count it there', () => {
      const wall = new Wall(pinned(120, 250), { last: 140 });
      const { ids } = wall.walk();
      expect([...ids].sort((a, b) => b - a)).toEqual(upTo(250).slice(0, 140));
      expect(new Set(new Wall(pinned(120, 250)).walk().ids).size).toBe(250);
      expect(new Wall(pinned(5, 250), { last: 50 }).walk().ids).toEqual(upTo(250).slice(0, 50));
      expect(new Wall(pinned(5, 250), { since: 1_200_000 }).walk().ids).toEqual(upTo(51, 200));
    });
  });

  it('skip what new posts push into the next page', () => {
    const wall = new Wall(posts(250), { last: 200 }, (call, of_) => {
      if (call === 2) of_.posts = [...posts(3, 251), ...of_.posts];
    });
    const { ids, last } = wall.walk();
    expect(ids).toEqual(upTo(250).slice(0, 200));
    expect(last).toMatchObject(whole);
  });

  it('go back for what deleted posts pull out of the next page', () => {
    const wall = new Wall(posts(250), {}, (call, of_) => {
      if (call === 2) of_.posts = of_.posts.slice(10);
    });
    const { ids, last } = wall.walk();
    expect([ids, wall.calls]).toEqual([upTo(250), 4]);
    expect(last).toMatchObject(whole);
  });

  it('that lost more than the walk looks back are a part', () => {
    const wall = new Wall(posts(600), {}, (call, of_) => {
      if (call === 4) of_.posts = of_.posts.filter(({ id }) => id <= 400);
    });
    const { ids, last } = wall.walk();
    expect(ids.slice(0, 298)).toEqual(upTo(600).slice(0, 298));
    expect([ids[298], new Set(ids).size]).toEqual([253, ids.length]);
    expect(last).toMatchObject({ rest: { kind: 'partial', detail: 'it changed while it was read' } });
  });

  it.each([
    [15, 'Access denied: user hid his wall from accessing from outside', 'hidden'],
    [15, 'Access denied: group is blocked', 'deleted'],
    [18, 'User was deleted or banned', 'deleted'],
    [19, 'Content blocked', 'hidden'],
    [30, 'This profile is private', 'private'],
  ])('with the inner error %s (%s) are absent', (error_code, error_msg, cause) => {
    const execute_errors = [{ method: 'wall.get', error_code, error_msg }];
    const reading = vk.read(of(['7']), 200, JSON.stringify({ response: [false], execute_errors }));
    expect(reading).toMatchObject({ outcomes: new Map([['7', { kind: 'absent', cause }]]) });
  });

  it.each([
    [0, 100],
    [3, 12],
    [9, 10],
  ])(
    'pass over a page that shows nothing by as many posts as were asked for (%s tries: %s)',
    (tries, offset) => {
      const content = of(['7'], { tries });
      expect(script(content)).toContain(`"count": ${offset}`);
      const reading = vk.read(content, 200, JSON.stringify({ response: [{ count: 300, items: [] }] }));
      const outcome = reading.kind === 'read' ? reading.outcomes.get('7') : undefined;
      const rest = outcome?.kind === 'seen' ? outcome.rest : undefined;
      expect(JSON.parse(rest?.kind === 'more' ? rest.cursor : '{}')).toMatchObject({ offset });
    },
  );

  it('are read anew where the cursor is one of another version', () => {
    const content = of(['7'], { cursors: { '7': '{"page": 3}' } });
    expect(script(content)).toContain('var offsets = [0];');
    const reading = vk.read(content, 200, JSON.stringify({ response: [{ count: 0, items: [] }] }));
    expect(reading).toMatchObject({ outcomes: new Map([['7', { kind: 'seen', rest: { kind: 'none' } }]]) });
  });

  it('of another shape are unreadable, with the path', () => {
    const items = [{ id: 1, owner_id: 7, from_id: 7, date: 'today', text: '' }];
    const reading = vk.read(of(['7']), 200, JSON.stringify({ response: [{ count: 1, items }] }));
    const fault = 'response[0].items[0].date: Invalid input: expected number, received string';
    expect(reading).toMatchObject({ outcomes: new Map([['7', { kind: 'unreadable', fault }]]) });
  });
});
