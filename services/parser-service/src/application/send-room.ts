/** A place of a call among those that are sent and not stored; left once, when its answer is kept or what was seen is stored. */
export interface Place {
  leave(): void;
}

/** What the calls of a lane compete as: one workspace at one network. */
interface LaneOfPlaces {
  taken: number;
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly most: number;
  readonly give: (place: Place) => void;
}

/**
 * Seconds of the keys' rate that may be sent and not stored: an answer takes 100 ms, and its way into the database the
 * rest of it. All of it is fetched again when the process is killed.
 */
export const UNSTORED_SECONDS = 0.2;
/** With few keys as well calls wait for nothing but their key. */
export const FEWEST_UNSTORED = 6;

export function mostUnstored(callsPerSecond: number): number {
  return Math.max(FEWEST_UNSTORED, Math.ceil(callsPerSecond * UNSTORED_SECONDS));
}

/**
 * How many calls of this process may be sent and neither kept nor stored. Where that is slow, sending waits for it, and a
 * death of the process repeats no more than that. A lane that has none under way gets a place whatever the others have, and
 * of those that wait the one that has fewest comes first: a large import holds up no small one.
 */
export class SendRoom {
  private taken = 0;
  private readonly lanes = new Map<string, LaneOfPlaces>();

  /** A place now, or undefined. */
  take(lane: string, most: number): Place | undefined {
    return this.mayTake(this.of(lane), most) ? this.give(lane) : undefined;
  }

  isFull(lane: string, most: number): boolean {
    return !this.mayTake(this.of(lane), most);
  }

  /** A place as soon as there is one; undefined when `until` resolves before. */
  async wait(lane: string, most: number, until: Promise<unknown>): Promise<Place | undefined> {
    const now = this.take(lane, most);
    if (now !== undefined) return now;
    const places = this.of(lane);
    const { waiting } = places;
    this.lanes.set(lane, places);
    let entry!: Waiting;
    const given = new Promise<Place>((give) => (entry = { most, give }));
    waiting.push(entry);
    const first = await Promise.race([given, until.then(() => undefined)]);
    if (first !== undefined) return first;
    const at = waiting.indexOf(entry);
    // Given in the same moment: then it is taken.
    if (at < 0) return given;
    waiting.splice(at, 1);
    this.forget(lane);
    return undefined;
  }

  private give(lane: string): Place {
    const places = this.of(lane);
    this.lanes.set(lane, places);
    this.taken += 1;
    places.taken += 1;
    let left = false;
    return {
      leave: () => {
        if (left) return;
        left = true;
        this.taken -= 1;
        places.taken -= 1;
        this.forget(lane);
        this.next();
      },
    };
  }

  private next(): void {
    const inOrder = [...this.lanes]
      .filter(([, { waiting }]) => waiting.length > 0)
      .sort(([, a], [, b]) => a.taken - b.taken);
    for (const [lane, places] of inOrder) {
      const first = places.waiting[0];
      if (first === undefined || !this.mayTake(places, first.most)) continue;
      places.waiting.shift();
      first.give(this.give(lane));
      return;
    }
  }

  private mayTake({ taken }: LaneOfPlaces, most: number): boolean {
    return taken === 0 || this.taken < most;
  }

  private of(lane: string): LaneOfPlaces {
    return this.lanes.get(lane) ?? { taken: 0, waiting: [] };
  }

  private forget(lane: string): void {
    const places = this.lanes.get(lane);
    if (places !== undefined && places.taken === 0 && places.waiting.length === 0) this.lanes.delete(lane);
  }
}
