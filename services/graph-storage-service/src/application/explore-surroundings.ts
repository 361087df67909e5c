import { GraphWalks, type KeyPair } from '../domain/ports';

/** Friendships that one step may look at: about a second of the store's time. */
const FRIENDSHIPS_PER_STEP = 100_000;

export interface Surroundings {
  /** Keys, nearest first, by key within a distance; the person asked about is the first. */
  people: { key: string; distance: number }[];
  friendships: KeyPair[];
  /** False when people within the distance were left out. */
  complete: boolean;
}

/** The people within some steps of one, at most `nodes` of them, and the friendships among those: what can be drawn. */
export class ExploreSurroundings {
  constructor(private readonly walks: GraphWalks) {}

  async execute(person: string, limits: { depth: number; nodes: number }): Promise<Surroundings> {
    const distances = new Map([[person, 0]]);
    let complete = true;
    let ring = [person];
    for (let distance = 1; distance <= limits.depth && ring.length > 0 && complete; distance++) {
      const pairs = await this.walks.friendshipsOfMany(ring, FRIENDSHIPS_PER_STEP);
      const found = [...new Set(pairs.flat())].filter((key) => !distances.has(key)).sort();
      ring = found.slice(0, limits.nodes - distances.size);
      complete = ring.length === found.length && pairs.length < FRIENDSHIPS_PER_STEP;
      for (const key of ring) distances.set(key, distance);
    }
    const people = [...distances].map(([key, distance]) => ({ key, distance }));
    return { people, friendships: await this.walks.friendshipsAmong([...distances.keys()]), complete };
  }
}
