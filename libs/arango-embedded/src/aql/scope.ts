import { ArangoFault } from '../faults';

/** Values of all variables of a query, by slot. Subqueries share the frame of their outer row. */
export type Frame = unknown[];
export type Evaluate = (frame: Frame) => unknown;

/** Slots of a whole query; the frame has room for all of them. */
export class Slots {
  count = 0;
}

/** Names that are visible at one point of a query. */
export class Scope {
  readonly #names = new Map<string, number>();

  constructor(
    private readonly slots: Slots,
    private readonly outer?: Scope,
  ) {}

  declare(name: string): number {
    if (this.find(name) !== undefined && name !== 'CURRENT') {
      throw new ArangoFault(1511, `variable '${name}' is assigned multiple times`);
    }
    return this.redeclare(name);
  }

  /** For names that hide an outer one: CURRENT. */
  redeclare(name: string): number {
    const slot = this.slots.count++;
    this.#names.set(name, slot);
    return slot;
  }

  find(name: string): number | undefined {
    return this.#names.get(name) ?? this.outer?.find(name);
  }

  /** Variables declared in this very scope, not in outer ones. */
  own(): [string, number][] {
    return [...this.#names];
  }

  /** COLLECT ends the life of every variable of the scope. */
  forget(): void {
    this.#names.clear();
  }

  inner(): Scope {
    return new Scope(this.slots, this);
  }
}
