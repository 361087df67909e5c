import type { Chance } from './chance';
import type { VirtualTime } from './virtual-time';

export interface Violation {
  invariant: string;
  detail: string;
  /** Seconds from the start of the run. */
  at: number;
}

type Field = string | number | boolean | undefined;

const KEPT = 60;

/** What all parts of one run share: its time, its chance, what happened last and what was broken. */
export class World {
  readonly violations: Violation[] = [];
  readonly counts = new Map<string, number>();
  /** Faults of the surroundings are over: nothing is lost or late any more. */
  calm = false;
  readonly #startedAt: number;
  readonly #last: [number, string, Field[]][] = [];
  readonly #onEvent: ((line: string) => void) | undefined;

  constructor(
    readonly time: VirtualTime,
    readonly chance: Chance,
    onEvent?: (line: string) => void,
  ) {
    this.#startedAt = time.micros;
    this.#onEvent = onEvent;
  }

  /** Written only when somebody looks: a run has thousands of events. */
  note(what: string, ...fields: Field[]): void {
    if (this.#onEvent !== undefined) this.#onEvent(line([this.time.micros - this.#startedAt, what, fields]));
    this.#last.push([this.time.micros - this.#startedAt, what, fields]);
    if (this.#last.length > KEPT) this.#last.shift();
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  broken(invariant: string, detail: string): void {
    this.note(`BROKEN ${invariant}`, detail);
    this.violations.push({ invariant, detail, at: this.elapsed() });
  }

  elapsed(): number {
    return (this.time.micros - this.#startedAt) / 1e6;
  }

  lastEvents(): string[] {
    return this.#last.map(line);
  }
}

function line([micros, what, fields]: [number, string, Field[]]): string {
  const texts = fields.map((field) => (typeof field === 'number' ? String(round(field)) : String(field)));
  return `${(micros / 1000).toFixed(3).padStart(14)} ms  ${what}  ${texts.join(' ')}`.trimEnd();
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
