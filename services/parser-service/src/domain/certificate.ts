import type { GapCause, ItemKind } from './items';
import type { ImportSnapshot } from './import-job';

/** All items of one import that share kind, standing and cause. */
export interface ItemTally {
  readonly kind: ItemKind;
  readonly standing: 'got' | 'gap' | 'open';
  readonly cause: GapCause | null;
  readonly count: number;
  /** Some of them, in the order of their ids. */
  readonly people: readonly string[];
}

export interface CertificateGap {
  what: 'person' | 'list';
  cause: GapCause;
  count: number;
  people: readonly string[];
}

export interface Certificate {
  importId: string;
  network: string;
  state: ImportSnapshot['state'];
  /** True once nothing is open any more: nothing in it will change. */
  final: boolean;
  expected: { people: number; lists: number };
  got: { people: number; lists: number };
  open: { people: number; lists: number };
  gaps: CertificateGap[];
  callsMade: number;
  friendshipObservations: number;
}

/** What was expected, what was got, and each gap with its cause; for both kinds expected = got + open + gaps. */
export function certify(job: ImportSnapshot, tallies: readonly ItemTally[]): Certificate {
  const sum = (kind: ItemKind, standing?: ItemTally['standing']): number =>
    tallies
      .filter((tally) => tally.kind === kind && (standing === undefined || tally.standing === standing))
      .reduce((total, tally) => total + tally.count, 0);
  const both = (standing?: ItemTally['standing']) => ({
    people: sum('profile', standing),
    lists: sum('friends', standing),
  });
  const open = both('open');
  return {
    importId: job.id,
    network: job.network,
    state: job.state,
    final: open.people === 0 && open.lists === 0,
    expected: both(),
    got: both('got'),
    open,
    gaps: tallies.filter(isGap).map((tally) => ({
      what: tally.kind === 'profile' ? 'person' : 'list',
      cause: tally.cause,
      count: tally.count,
      people: tally.people,
    })),
    callsMade: job.counters.callsMade,
    friendshipObservations: job.counters.friendshipObservations,
  };
}

function isGap(tally: ItemTally): tally is ItemTally & { cause: GapCause } {
  return tally.standing === 'gap' && tally.cause !== null;
}
