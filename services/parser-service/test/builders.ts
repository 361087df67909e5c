import { Clock, Ids, type Secret } from '@sociograph/kernel';
import { ImportJob, type ImportSnapshot } from '../src/domain/import-job';
import { USUAL_SCOPE } from '../src/domain/import-scope';
import { PACK_KINDS, type PackKind, type PackSizes } from '../src/domain/packing';
import { type CallContent, type NetworkRequest, type Reading, SocialNetwork } from '../src/domain/ports';

/** A running import of workspace `demo` from seed 1, unless told. */
export function anImport(
  changes: Partial<Omit<ImportSnapshot, 'state' | 'counters' | 'changedAt'>> = {},
): ImportJob {
  return ImportJob.start({
    id: 'import-1',
    workspaceId: 'demo',
    network: 'toy',
    seeds: ['1'],
    scope: USUAL_SCOPE,
    depth: null,
    peopleLimit: null,
    callsLimit: null,
    createdBy: 'someone',
    createdAt: 1_000,
    ...changes,
  });
}

/** What a call of these people asks for, the first time. */
export function aCallContent(kind: PackKind, people: readonly string[]): CallContent {
  return { callId: 'call-1', kind, people, cursors: {}, scope: USUAL_SCOPE, tries: 0 };
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

/** Packs of every kind hold two items, unless told. */
export function packSizes(changes: Partial<PackSizes> = {}): PackSizes {
  const usual = Object.fromEntries(PACK_KINDS.map((kind) => [kind, { most: 2 }])) as unknown as PackSizes;
  return { ...usual, 'long-list': { most: 1 }, 'long-groups': { most: 1 }, ...changes };
}

/** A network whose packs hold two lists or three profiles, and whose answers are Readings, as a spec lines them up. */
export class ToyNetwork extends SocialNetwork {
  readonly name = 'toy';
  readonly offers: SocialNetwork['offers'] = ['profiles', 'friends', 'groups', 'walls', 'members'];
  readonly packSizes = packSizes({ profiles: { most: 3 } });
  readonly keyCallsPerSecond = 3;
  readonly readings: Reading[] = [];
  readonly contents: CallContent[] = [];
  readonly read_: { kind: PackKind; people: readonly string[]; status: number; body: string }[] = [];

  subject(given: string): string | undefined {
    if (/^[@-]\w+$/.test(given)) return given;
    return /^\d+$/.test(given) ? String(Number(given)) : undefined;
  }

  methods({ people }: CallContent): Record<string, number> {
    return { look: people.length };
  }

  request({ kind, people }: CallContent, token: Secret): NetworkRequest {
    return { path: `/${kind}`, headers: { token: token.reveal() }, body: people.join(), timeoutMs: 100 };
  }

  read(content: CallContent, status: number, body: string): Reading {
    const { kind, people } = content;
    this.contents.push(content);
    this.read_.push({ kind, people, status, body });
    const reading = this.readings.shift();
    if (reading === undefined) throw new Error('no reading lined up');
    return reading;
  }
}
