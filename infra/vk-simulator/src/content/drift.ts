import type { NormalGraph } from '@sociograph/graph-file';
import { seededHash } from './seeded-hash';

export interface DriftOptions {
  /** Before every n-th page of a friend list that does not begin at its start, a friend appears in it; 0 = never. */
  friendEvery: number;
  /** The same of walls and posts. */
  postEvery: number;
}

export const NO_DRIFT: DriftOptions = { friendEvery: 0, postEvery: 0 };

export interface DriftEvent {
  kind: 'friend' | 'no-friend' | 'post';
  /** Ids: the two people, or the wall's owner and the rank of the post. */
  of: number;
  other: number;
  /** Milliseconds on the simulator's clock. */
  at: number;
}

const TRIES = 16;

/** What changed since the start: friendships that came and went, posts that appeared. Indexes inside, ids in `events`. */
export class Drift {
  readonly events: DriftEvent[] = [];
  private readonly lists = new Map<number, number[]>();
  private readonly posts = new Map<number, number[]>();
  private readonly pages = new Map<string, number>();

  constructor(
    private readonly seed: number,
    private readonly graph: NormalGraph,
    private readonly options: DriftOptions,
  ) {}

  /** Indexes of somebody's friends, ascending. */
  friends(index: number): ArrayLike<number> {
    return (this.lists.size > 0 ? this.lists.get(index) : undefined) ?? this.graph.row(index);
  }

  /** Seconds at which posts appeared on a wall, oldest first. */
  postsOf(ownerId: number): readonly number[] {
    return this.posts.get(ownerId) ?? [];
  }

  /** Makes friends of two; false when they are already, or are one. */
  befriend(a: number, b: number, at: number): boolean {
    if (a === b || indexIn(this.friends(a), b) !== -1) return false;
    for (const [index, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const list = Array.from(this.friends(index));
      list.push(other);
      this.lists.set(
        index,
        list.sort((x, y) => x - y),
      );
    }
    this.note('friend', a, b, at);
    return true;
  }

  /** Ends a friendship; false when there is none. */
  part(a: number, b: number, at: number): boolean {
    if (indexIn(this.friends(a), b) === -1) return false;
    this.lists.set(
      a,
      Array.from(this.friends(a)).filter((friend) => friend !== b),
    );
    this.lists.set(
      b,
      Array.from(this.friends(b)).filter((friend) => friend !== a),
    );
    this.note('no-friend', a, b, at);
    return true;
  }

  post(ownerId: number, at: number): void {
    const posts = this.posts.get(ownerId) ?? [];
    posts.push(Math.floor(at / 1000));
    this.posts.set(ownerId, posts);
    this.events.push({ kind: 'post', of: ownerId, other: posts.length, at });
  }

  /** A page of a friend list is about to be read. `mayJoin`: who may turn up in it. */
  beforeFriends(index: number, offset: number, at: number, mayJoin: (index: number) => boolean): void {
    if (!this.isDue(`friends ${index}`, offset, this.options.friendEvery)) return;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const draw = seededHash(this.seed ^ index, 'new friend', this.events.length * TRIES + attempt);
      const other = draw % this.graph.people;
      if (mayJoin(other) && this.befriend(index, other, at)) return;
    }
  }

  /** A page of a wall is about to be read. */
  beforePosts(ownerId: number, offset: number, at: number): void {
    if (this.isDue(`posts ${ownerId}`, offset, this.options.postEvery)) this.post(ownerId, at);
  }

  /** As it was at the start. */
  reset(): void {
    this.events.length = 0;
    for (const kept of [this.lists, this.posts, this.pages]) kept.clear();
  }

  private isDue(what: string, offset: number, every: number): boolean {
    if (every === 0 || offset === 0) return false;
    const pages = (this.pages.get(what) ?? 0) + 1;
    this.pages.set(what, pages);
    return pages % every === 0;
  }

  private note(kind: DriftEvent['kind'], a: number, b: number, at: number): void {
    const { ids } = this.graph;
    this.events.push({ kind, of: ids[a] as number, other: ids[b] as number, at });
  }
}

function indexIn(list: ArrayLike<number>, wanted: number): number {
  return Array.prototype.indexOf.call(list, wanted);
}
