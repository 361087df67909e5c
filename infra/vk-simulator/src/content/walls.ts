import type { Chosen } from './chosen';
import { isChosen, NOBODY } from './chosen';
import { CONTENT_EPOCH_SECONDS } from './profile';
import { seededHash } from './seeded-hash';
import type { World } from './world';

export interface WallOptions {
  /** Most posts of a person; a community has up to ten times as many. */
  posts: number;
  /** Most characters of a post. */
  postLength: number;
  closedWalls: Chosen;
  blockedWalls: Chosen;
}

export const USUAL_WALLS: WallOptions = {
  posts: 40,
  postLength: 400,
  closedWalls: NOBODY,
  blockedWalls: NOBODY,
};

/** Whose wall: a person's (`id` above 0) or a community's (`id` below 0). `index` is the person's or the community's number. */
export interface Owner {
  id: number;
  index: number;
}

/** One in this many walls has a pinned post, which comes first, out of order. */
const PINNED_ONE_IN = 6;

/**
 * Where the posts of a wall are. Rank 1 is the oldest; a post keeps its rank, id and date whatever appears later.
 * Nothing is stored but what appeared while the simulator ran (Drift).
 */
export class Walls {
  constructor(
    private readonly world: World,
    readonly options: WallOptions,
  ) {}

  count(owner: Owner): number {
    return this.first(owner) + this.world.drift.postsOf(owner.id).length;
  }

  isClosed(owner: Owner): boolean {
    return isChosen(this.options.closedWalls, this.world.seed, 'closed wall', owner.id);
  }

  isBlocked(owner: Owner): boolean {
    return isChosen(this.options.blockedWalls, this.world.seed, 'blocked wall', owner.id);
  }

  /** Ranks as wall.get lists them: the pinned one, then the newest first. */
  ranks(owner: Owner): number[] {
    const count = this.count(owner);
    const ranks = Array.from({ length: count }, (_, at) => count - at);
    const pinned = this.pinned(owner);
    return pinned === 0 ? ranks : [pinned, ...ranks.filter((rank) => rank !== pinned)];
  }

  /** 0 when nothing is pinned. */
  pinned(owner: Owner): number {
    const first = this.first(owner);
    return first > 3 && this.draw(owner, 'pinned', 0) % PINNED_ONE_IN === 0 ? first - 2 : 0;
  }

  /** Ids have gaps, as those of real walls do. */
  postId(owner: Owner, rank: number): number {
    return 3 * rank + (this.draw(owner, 'post id', rank) % 3);
  }

  /** The rank of a post, or 0 when the wall has none of this id. */
  rankOf(owner: Owner, postId: number): number {
    const rank = Math.floor(postId / 3);
    return rank >= 1 && rank <= this.count(owner) && this.postId(owner, rank) === postId ? rank : 0;
  }

  /** Seconds; later for every higher rank. */
  date(owner: Owner, rank: number): number {
    const first = this.first(owner);
    if (rank > first) return this.world.drift.postsOf(owner.id)[rank - first - 1] as number;
    const gap = 21_600 + (this.draw(owner, 'gap', 0) % 400_000);
    return CONTENT_EPOCH_SECONDS - (first - rank + 1) * gap + (this.draw(owner, 'moment', rank) % gap);
  }

  draw(owner: Owner, purpose: string, value: number): number {
    return seededHash(this.world.seed ^ (owner.id | 0), purpose, value);
  }

  private first(owner: Owner): number {
    const most = this.options.posts * (owner.id < 0 ? 10 : 1);
    const point = (this.draw(owner, 'posts', 0) % 10_000) / 10_000;
    return Math.floor((most + 1) * (owner.id < 0 ? 0.2 + 0.8 * point : point * point));
  }
}
