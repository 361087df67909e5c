import { Clock, Ids, type Secret } from '@sociograph/kernel';
import { ImportJob, type ImportSnapshot } from '../src/domain/import-job';
import type { PackKind } from '../src/domain/packing';
import { type NetworkRequest, type Reading, SocialNetwork } from '../src/domain/ports';

/** A running import of workspace `demo` from seed 1, unless told. */
export function anImport(
  changes: Partial<Omit<ImportSnapshot, 'state' | 'counters' | 'changedAt'>> = {},
): ImportJob {
  return ImportJob.start({
    id: 'import-1',
    workspaceId: 'demo',
    network: 'toy',
    seeds: ['1'],
    depth: null,
    peopleLimit: null,
    callsLimit: null,
    createdBy: 'someone',
    createdAt: 1_000,
    ...changes,
  });
}

/** Both clocks stand still until a spec moves them. */
export class StillClock extends Clock {
  constructor(public now = 5_000) {
    super();
  }

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }
}

export class CountedIds extends Ids {
  private count = 0;

  constructor(private readonly prefix = 'id') {
    super();
  }

  next(): string {
    this.count += 1;
    return `${this.prefix}-${this.count}`;
  }
}

/** A network whose packs hold two lists or three profiles, and whose answers are Readings, as a spec lines them up. */
export class ToyNetwork extends SocialNetwork {
  readonly name = 'toy';
  readonly packSizes = { lists: 2, profiles: 3 };
  readonly keyCallsPerSecond = 3;
  readonly readings: Reading[] = [];
  readonly read_: { kind: PackKind; people: readonly string[]; status: number; body: string }[] = [];

  personId(given: string): string | undefined {
    return /^\d+$/.test(given) ? String(Number(given)) : undefined;
  }

  methods(_kind: PackKind, people: readonly string[]): Record<string, number> {
    return { look: people.length };
  }

  request(kind: PackKind, people: readonly string[], token: Secret): NetworkRequest {
    return { path: `/${kind}`, headers: { token: token.reveal() }, body: people.join(), timeoutMs: 100 };
  }

  read(kind: PackKind, people: readonly string[], status: number, body: string): Reading {
    this.read_.push({ kind, people, status, body });
    const reading = this.readings.shift();
    if (reading === undefined) throw new Error('no reading lined up');
    return reading;
  }
}
