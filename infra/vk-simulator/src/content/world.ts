import type { NormalGraph } from '@sociograph/graph-file';
import { isChosen, NOBODY } from './chosen';
import type { Chosen } from './chosen';
import { Drift, NO_DRIFT } from './drift';
import type { DriftOptions } from './drift';
import { Groups, USUAL_GROUPS } from './groups';
import type { GroupOptions } from './groups';
import { seededFraction } from './seeded-hash';
import { USUAL_WALLS, Walls } from './walls';
import type { WallOptions } from './walls';

/** `hidden` = the profile is open, its friend list is not (error 15). */
export type Visibility = 'open' | 'private' | 'hidden' | 'deleted' | 'banned';
type Restricted = Exclude<Visibility, 'open'>;

export interface WorldOptions {
  seed: number;
  /** Share of the people, 0..1. Who they are follows from the seed. */
  shares: Record<Restricted, number>;
  /** Named people; these win over the shares. */
  named: ReadonlyMap<number, Visibility>;
  /** First and last names by id; the others' are drawn. */
  called?: ReadonlyMap<number, readonly [first: string, last: string]>;
  groups?: GroupOptions;
  walls?: WallOptions;
  drift?: DriftOptions;
  /** People whose list of communities is hidden (error 260). */
  hiddenGroups?: Chosen;
}

const RESTRICTED: Restricted[] = ['deleted', 'banned', 'private', 'hidden'];
/** The crowd's ids begin this far above the largest of the graph; owners of generated keys lie between. */
const CROWD_GAP = 1_000_000_000;

/** Everything that the simulator shows: people and friendships from a file, the rest drawn from the seed around them. */
export class World {
  readonly groups: Groups;
  readonly walls: Walls;
  readonly drift: Drift;
  private readonly states: Visibility[];
  private readonly firstOfCrowd: number;

  constructor(
    readonly graph: NormalGraph,
    readonly options: WorldOptions,
  ) {
    this.states = Array.from(graph.ids, (id) => options.named.get(id) ?? this.drawn(id));
    this.groups = new Groups(options.seed, graph.people, options.groups ?? USUAL_GROUPS);
    this.walls = new Walls(this, options.walls ?? USUAL_WALLS);
    this.drift = new Drift(options.seed, graph, options.drift ?? NO_DRIFT);
    this.firstOfCrowd = (graph.ids.at(-1) ?? 0) + CROWD_GAP;
  }

  get seed(): number {
    return this.options.seed;
  }

  /** The index of a person, or -1. Those of the crowd come after those of the graph. */
  find(id: number): number {
    const member = id - this.firstOfCrowd;
    const crowd = this.options.groups?.crowd ?? 0;
    return member >= 0 && member < crowd ? this.graph.people + member : this.graph.indexOf(id);
  }

  id(index: number): number {
    const { people, ids } = this.graph;
    return index < people ? (ids[index] as number) : this.firstOfCrowd + index - people;
  }

  visibility(index: number): Visibility {
    return this.states[index] ?? 'open';
  }

  /** Indexes of somebody's friends as they are now, ascending. */
  friends(index: number): ArrayLike<number> {
    return index < this.graph.people ? this.drift.friends(index) : [];
  }

  hidesGroups(index: number): boolean {
    return isChosen(this.options.hiddenGroups ?? NOBODY, this.seed, 'hidden groups', this.id(index));
  }

  /** Whether a closed profile is open to this viewer: itself, or a friend of it. */
  maySee(index: number, viewer: number | null): boolean {
    if (this.visibility(index) !== 'private') return true;
    if (viewer === null) return false;
    const other = this.find(viewer);
    return other === index || (other !== -1 && Array.prototype.includes.call(this.friends(index), other));
  }

  /** Ids of everybody who is not open, by state. */
  restricted(): Record<Restricted, number[]> {
    const people: Record<Restricted, number[]> = { private: [], hidden: [], deleted: [], banned: [] };
    this.states.forEach((state, index) => {
      if (state !== 'open') people[state].push(this.id(index));
    });
    return people;
  }

  /** One person of every component of the graph, an open one where there is any. */
  seeds(): number[] {
    const { of, count } = this.graph.components();
    return this.best(of, count, () => true);
  }

  /**
   * What an import has to start from to reach everybody who can be reached: one person of every component that
   * remains when only open people's lists are read, and everybody whom no open list names.
   */
  reachableSeeds(): number[] {
    const { graph } = this;
    const open = (index: number): boolean => this.visibility(index) === 'open';
    const of = new Int32Array(graph.people).fill(-1);
    let count = 0;
    for (let start = 0; start < graph.people; start += 1) {
      if (!open(start) || of[start] !== -1) continue;
      const stack = [start];
      of[start] = count;
      for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
        for (const friend of graph.row(index)) {
          if (!open(friend) || of[friend] !== -1) continue;
          of[friend] = count;
          stack.push(friend);
        }
      }
      count += 1;
    }
    const unnamed: number[] = [];
    for (let index = 0; index < graph.people; index += 1) {
      if (!open(index) && !graph.row(index).some(open)) unnamed.push(this.id(index));
    }
    return [...this.best(of, count, open), ...unnamed];
  }

  private best(of: Int32Array, count: number, eligible: (index: number) => boolean): number[] {
    const chosen = new Int32Array(count).fill(-1);
    for (let index = 0; index < of.length; index += 1) {
      if (!eligible(index)) continue;
      const component = of[index] as number;
      const other = chosen[component] as number;
      if (other === -1 || this.weight(index) > this.weight(other)) chosen[component] = index;
    }
    return Array.from(chosen, (index) => this.id(index));
  }

  private weight(index: number): number {
    return this.graph.degree(index) + (this.visibility(index) === 'open' ? this.graph.people : 0);
  }

  private drawn(id: number): Visibility {
    const { seed, shares } = this.options;
    let point = seededFraction(seed, 'visibility', id);
    for (const state of RESTRICTED) {
      if (point < shares[state]) return state;
      point -= shares[state];
    }
    return 'open';
  }
}
