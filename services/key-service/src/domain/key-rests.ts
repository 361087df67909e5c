/** Rests that are long enough to outlive the pool's memory. */
export abstract class KeyRests {
  /** One transaction; a rest that is there already is replaced. */
  abstract write(changes: {
    kept: StoredRest[];
    gone: Pick<StoredRest, 'keyId' | 'kind' | 'name'>[];
  }): Promise<void>;
  /** Those that are not over for more than two days. */
  abstract all(now: number): Promise<StoredRest[]>;
}

/** What a key is not asked for the time being: all of it, one method, from one address, or because calls failed. */
export interface KeyRest {
  kind: 'key' | 'method' | 'egress' | 'circuit';
  /** Of the method or the address. */
  name: string;
  /** Pool clock, ms; in the past when the next call is its trial. */
  untilAt: number;
  /** What it was given; the next one is twice as long. */
  lengthMs: number;
  code: number;
  /** Its trial call is out. */
  onTrial: boolean;
  /** The network refuses it; otherwise a limit was reached. */
  barred: boolean;
}

/** A rest as it outlives the pool's memory. */
export interface StoredRest extends Omit<KeyRest, 'onTrial'> {
  keyId: string;
  tokenVersion: number;
}
