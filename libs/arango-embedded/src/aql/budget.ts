import { ArangoFault } from '../faults';

/** How often the clock is looked at: a look costs as much as reading a small document. */
const EVERY = 64;

/** The time a query may take (`maxRuntime`); what runs longer ends with 1500, as on a real server. */
export class Budget {
  #spent = 0;

  constructor(private readonly endsAt: number = Infinity) {}

  static of(maxRuntimeSeconds: unknown): Budget {
    const limited = typeof maxRuntimeSeconds === 'number' && maxRuntimeSeconds > 0;
    return new Budget(limited ? performance.now() + maxRuntimeSeconds * 1000 : Infinity);
  }

  /** Called for each document that a query looks at. */
  spend(): void {
    this.#spent += 1;
    if (this.#spent % EVERY === 0 && performance.now() > this.endsAt)
      throw new ArangoFault(1500, 'query killed');
  }
}
