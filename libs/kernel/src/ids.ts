import { randomBytes } from 'node:crypto';

/** New identities as a port. */
export abstract class Ids {
  /** A UUID (version 7: sorts by time of creation, which keeps B-tree indexes dense). */
  abstract next(): string;
}

/** Chance as a port: uniformly distributed in [0, 1). */
export abstract class Randomness {
  abstract next(): number;
}

/** UUIDv7 as RFC 9562 section 5.7 lays it out: 48 bits of milliseconds, then 74 random bits. */
export class TimeOrderedIds extends Ids {
  next(): string {
    const bytes = randomBytes(16);
    bytes.writeUIntBE(Date.now(), 0, 6);
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }
}

export class SystemRandomness extends Randomness {
  next(): number {
    return Math.random();
  }
}
