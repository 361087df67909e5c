/** Small integers for the networks' ids, in the order in which they were first named. Never forgets one. */
export class IdIndex {
  private readonly numbers = new Map<string, number>();
  private readonly names: string[] = [];

  get size(): number {
    return this.names.length;
  }

  /** The number of `id`; a new one if nobody named it before. */
  intern(id: string): number {
    const known = this.numbers.get(id);
    if (known !== undefined) return known;
    const added = this.names.length;
    this.numbers.set(id, added);
    this.names.push(id);
    return added;
  }

  find(id: string): number | undefined {
    return this.numbers.get(id);
  }

  /** A copy of all ids, by number. */
  all(): string[] {
    return [...this.names];
  }

  /** The id behind a number that `intern` gave. */
  nameOf(number: number): string {
    const name = this.names[number];
    if (name === undefined) throw new RangeError(`No id has the number ${number}`);
    return name;
  }
}
