import { randomUUID } from 'node:crypto';

/** New identities as a port. */
export abstract class Ids {
  /** A UUID (version 7: sorts by time of creation, which keeps B-tree indexes dense). */
  abstract next(): string;
}

/** Chance as a port: uniformly distributed in [0, 1). */
export abstract class Randomness {
  abstract next(): number;
}

/** Where the 74 random bits of a UUID begin that lie behind its version. */
const BEHIND_VERSION = 15;

/**
 * UUIDv7 as RFC 9562 section 5.7 lays it out: 48 bits of milliseconds, then 74 random bits. Those come from a version 4,
 * for which Node draws random bytes many at a time: each event has an id, and a draw each was 4 % of an import's work.
 */
export class TimeOrderedIds extends Ids {
  next(): string {
    const time = Date.now().toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(BEHIND_VERSION)}`;
  }
}

export class SystemRandomness extends Randomness {
  next(): number {
    return Math.random();
  }
}
