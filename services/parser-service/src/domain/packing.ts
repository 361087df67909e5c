/** A call's kind of content: friend lists, one list page by page, or profiles. */
export type PackKind = 'lists' | 'long-list' | 'profiles';

/** What of an import could be dispatched now. Items that wait for their next try are not counted. */
export interface PendingWork {
  readonly importId: string;
  readonly lists: number;
  /** Whether lists in flight may still add to `lists`: then a partial pack is worth a wait. */
  readonly listsMayGrow: boolean;
  readonly longLists: number;
  readonly profiles: number;
  readonly profilesMayGrow: boolean;
  /** Calls that the import's own limit still allows; null = no limit. */
  readonly callsLeft: number | null;
  /** Calls of this import that are dispatched and not finished. */
  readonly inFlight: number;
}

/** The import has made all its calls and waits for none: what is open stays a gap. */
export function limitReached(work: PendingWork): boolean {
  return work.callsLeft === 0 && work.inFlight === 0;
}

export interface DispatchWindow {
  /** Calls of the workspace that are dispatched and not finished. */
  readonly outstanding: number;
  /** Those of them that wait for a key or for their answer; the others are being stored and keep no key busy. */
  readonly unanswered: number;
  /** What the workspace's keys allow together; 0 when it has no usable key. */
  readonly callsPerSecond: number;
}

export interface PackSizes {
  readonly lists: number;
  readonly profiles: number;
}

export interface Pack {
  readonly importId: string;
  readonly kind: PackKind;
  readonly size: number;
}

/** So much work is dispatched ahead: pause, cancel and fairness take effect within it (DESIGN 3.2). */
export const AHEAD_SECONDS = 2;
/**
 * Below so much work in flight a key would idle for a slot before the next answer comes: about the time of a
 * call with its way through lease, send and commit. Longer makes packs emptier, shorter leaves slots unused.
 */
export const BUSY_SECONDS = 0.15;
/** A call that began this long ago is taken to be answered: to note the answer itself would cost a commit more. */
export const ANSWERED_AFTER_MS = 200;

/**
 * Which packs to dispatch now: round robin over the imports in the order given, full packs first, a partial one
 * where nothing can fill it any more or where keys would idle otherwise.
 */
export function planPacks(work: readonly PendingWork[], window: DispatchWindow, sizes: PackSizes): Pack[] {
  if (window.callsPerSecond <= 0) return [];
  const most = Math.max(1, Math.ceil(window.callsPerSecond * AHEAD_SECONDS));
  const busy = Math.max(1, Math.ceil(window.callsPerSecond * BUSY_SECONDS));
  const packs: Pack[] = [];
  let waiting = work.map((of) => ({ ...of }));
  while (waiting.length > 0) {
    const stillWaiting: typeof waiting = [];
    for (const rest of waiting) {
      if (window.outstanding + packs.length >= most) return packs;
      const pack = nextPack(rest, sizes, window.unanswered + packs.length, busy);
      if (pack === undefined) continue;
      packs.push(pack);
      stillWaiting.push(without(rest, pack));
    }
    waiting = stillWaiting;
  }
  return packs;
}

function nextPack(work: PendingWork, sizes: PackSizes, unanswered: number, busy: number): Pack | undefined {
  const { importId, lists, longLists, profiles, callsLeft } = work;
  if (callsLeft === 0) return undefined;
  // At once, not at the end: there a large answer would hold up the last, lonely lists.
  if (profiles >= sizes.profiles) return { importId, kind: 'profiles', size: sizes.profiles };
  if (lists >= sizes.lists) return { importId, kind: 'lists', size: sizes.lists };
  if (longLists > 0) return { importId, kind: 'long-list', size: 1 };
  if (lists > 0 && (!work.listsMayGrow || unanswered < busy)) return { importId, kind: 'lists', size: lists };
  // Profiles lead to nobody new, so a partial pack of them never opens work: it goes when all else is out.
  if (profiles > 0 && (!work.profilesMayGrow || unanswered === 0)) {
    return { importId, kind: 'profiles', size: profiles };
  }
  return undefined;
}

function without(work: PendingWork, pack: Pack): PendingWork {
  return {
    ...work,
    lists: pack.kind === 'lists' ? work.lists - pack.size : work.lists,
    longLists: pack.kind === 'long-list' ? work.longLists - pack.size : work.longLists,
    profiles: pack.kind === 'profiles' ? work.profiles - pack.size : work.profiles,
    callsLeft: work.callsLeft === null ? null : work.callsLeft - 1,
  };
}
