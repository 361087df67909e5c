import { type GapCause, ITEM_KINDS, type ItemKind } from './items';
import type { ImportSnapshot } from './import-job';

/** All items of one import that share kind, standing and cause. */
export interface ItemTally {
  readonly kind: ItemKind;
  readonly standing: 'got' | 'gap' | 'open';
  readonly cause: GapCause | null;
  /** What was said of one of them beside the cause, where anything was. */
  readonly detail: string | null;
  readonly count: number;
  /** Some of them, in the order of their ids. */
  readonly people: readonly string[];
}

/** How a certificate calls what is missing: `list` is a list of friends, since there was no other. */
const SUBJECT_OF = {
  profile: 'person',
  friends: 'list',
  groups: 'groups',
  subscriptions: 'subscriptions',
  wall: 'wall',
  group: 'group',
  members: 'members',
  name: 'name',
} as const satisfies Record<ItemKind, string>;
export type GapSubject = (typeof SUBJECT_OF)[ItemKind];
export const GAP_SUBJECTS = ITEM_KINDS.map((kind) => SUBJECT_OF[kind]);

export interface CertificateGap {
  what: GapSubject;
  cause: GapCause;
  /** The path of a field that cannot be read, an error: of one of them, the others may differ. */
  detail?: string;
  count: number;
  people: readonly string[];
}

/** Counts of one kind; expected = got + open + gaps. */
export interface KindCount {
  what: GapSubject;
  expected: number;
  got: number;
  open: number;
  gaps: number;
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
  /** Each kind of item that was asked for, by itself; `lists` above are all but people. */
  kinds: KindCount[];
  gaps: CertificateGap[];
  callsMade: number;
  friendshipObservations: number;
}

/** What was expected, what was got, and each gap with its cause; for both kinds expected = got + open + gaps. */
export function certify(job: ImportSnapshot, tallies: readonly ItemTally[]): Certificate {
  const sum = (of: (kind: ItemKind) => boolean, standing?: ItemTally['standing']): number =>
    tallies
      .filter((tally) => of(tally.kind) && (standing === undefined || tally.standing === standing))
      .reduce((total, tally) => total + tally.count, 0);
  const both = (standing?: ItemTally['standing']) => ({
    people: sum((kind) => kind === 'profile', standing),
    lists: sum((kind) => kind !== 'profile', standing),
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
    kinds: ITEM_KINDS.filter((kind) => tallies.some((tally) => tally.kind === kind)).map((kind) => ({
      what: SUBJECT_OF[kind],
      expected: sum((of) => of === kind),
      got: sum((of) => of === kind, 'got'),
      open: sum((of) => of === kind, 'open'),
      gaps: sum((of) => of === kind, 'gap'),
    })),
    gaps: tallies.filter(isGap).map((tally) => ({
      what: SUBJECT_OF[tally.kind],
      cause: tally.cause,
      ...(tally.detail === null ? {} : { detail: tally.detail }),
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
