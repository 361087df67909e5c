import type { UploadedPerson } from './upload';

const FIRST_ROOM = 1 << 16;
/** Steps between two turns of the event loop: a few milliseconds of work. */
const STEPS_PER_TURN = 1 << 16;
/** Ids that are whole numbers without leading zeros are kept as numbers while a file is read: 1.3 million lines name them all the time. */
const PLAIN_NUMBER = /^(0|[1-9]\d{0,14})$/;

/** Friendships of a file as they are read, 8 bytes each; people are numbered as they come. */
export class GraphDraft {
  private readonly numbers = new Map<number, number>();
  private readonly texts = new Map<string, number>();
  private readonly ids: string[] = [];
  private ends = new Uint32Array(FIRST_ROOM);
  private used = 0;

  get people(): number {
    return this.ids.length;
  }

  /** Lines taken so far, whether they repeat another one or not. */
  get lines(): number {
    return this.used / 2;
  }

  /** Somebody's friendship with oneself only says that there is such a person. */
  add(a: string | number, b: string | number): void {
    if (this.used === this.ends.length) {
      const larger = new Uint32Array(this.ends.length * 2);
      larger.set(this.ends);
      this.ends = larger;
    }
    this.ends[this.used] = this.placeOf(a);
    this.ends[this.used + 1] = this.placeOf(b);
    this.used += 2;
  }

  /** The list of each person, without repeats. `turn` lets others run in between. */
  async arranged(turn: () => Promise<void>): Promise<FriendLists> {
    const begins = await this.begins(turn);
    const filled = begins.slice();
    const rows = new Uint32Array(begins[this.people] ?? 0);
    for (let at = 0; at < this.used; at += 2) {
      if (at % STEPS_PER_TURN === 0) await turn();
      const [a, b] = [this.ends[at] as number, this.ends[at + 1] as number];
      if (a === b) continue;
      rows[filled[a] as number] = b;
      filled[a] = (filled[a] as number) + 1;
      rows[filled[b] as number] = a;
      filled[b] = (filled[b] as number) + 1;
    }
    const ends = new Uint32Array(this.people);
    let written = 0;
    let steps = 0;
    for (let place = 0; place < this.people; place += 1) {
      const row = rows.subarray(begins[place], begins[place + 1]).sort();
      let last = -1;
      let end = begins[place] as number;
      for (const friend of row) {
        if (friend === last) continue;
        rows[end] = friend;
        end += 1;
        last = friend;
      }
      ends[place] = end;
      written += end - (begins[place] as number);
      steps += row.length + 1;
      if (steps < STEPS_PER_TURN) continue;
      steps = 0;
      await turn();
    }
    return new FriendLists(this.ids, begins, ends, rows, written / 2);
  }

  private async begins(turn: () => Promise<void>): Promise<Uint32Array> {
    const begins = new Uint32Array(this.people + 1);
    for (let at = 0; at < this.used; at += 2) {
      if (at % STEPS_PER_TURN === 0) await turn();
      const [a, b] = [this.ends[at] as number, this.ends[at + 1] as number];
      if (a === b) continue;
      begins[a + 1] = (begins[a + 1] as number) + 1;
      begins[b + 1] = (begins[b + 1] as number) + 1;
    }
    for (let place = 0; place < this.people; place += 1)
      begins[place + 1] = (begins[place + 1] as number) + (begins[place] as number);
    return begins;
  }

  private placeOf(id: string | number): number {
    if (typeof id === 'number') return this.placeIn(this.numbers, id, id);
    return PLAIN_NUMBER.test(id)
      ? this.placeIn(this.numbers, Number(id), id)
      : this.placeIn(this.texts, id, id);
  }

  private placeIn<K>(known: Map<K, number>, key: K, id: string | number): number {
    const place = known.get(key);
    if (place !== undefined) return place;
    known.set(key, this.ids.length);
    return this.ids.push(String(id)) - 1;
  }
}

/** People of a file with their friends, in the order in which the file names them. */
export class FriendLists implements Iterable<UploadedPerson> {
  constructor(
    private readonly ids: readonly string[],
    private readonly begins: Uint32Array,
    private readonly ends: Uint32Array,
    private readonly rows: Uint32Array,
    /** Each once. */
    readonly friendships: number,
  ) {}

  get people(): number {
    return this.ids.length;
  }

  *[Symbol.iterator](): Iterator<UploadedPerson> {
    for (let place = 0; place < this.ids.length; place += 1) {
      const row = this.rows.subarray(this.begins[place], this.ends[place]);
      yield {
        person: this.ids[place] as string,
        friends: Array.from(row, (friend) => this.ids[friend] as string),
      };
    }
  }
}
