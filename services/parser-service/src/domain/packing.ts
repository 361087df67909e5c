import type { ItemKind } from './items';

/**
 * What a call holds, in the order in which full packs go: names before anything else, then profiles (at the end a
 * large answer would hold up the last, lonely lists), then what leads further, then the rest.
 */
export const PACK_KINDS = [
  'names',
  'profiles',
  'lists',
  'long-list',
  'members',
  'groups',
  'long-groups',
  'subscriptions',
  'group-profiles',
  'walls',
] as const;
export type PackKind = (typeof PACK_KINDS)[number];

/** Which items a call of each kind holds; `long` ones did not fit one page and are fetched alone. */
export const ITEMS_OF: Record<PackKind, { item: ItemKind; long: boolean }> = {
  names: { item: 'name', long: false },
  profiles: { item: 'profile', long: false },
  lists: { item: 'friends', long: false },
  'long-list': { item: 'friends', long: true },
  members: { item: 'members', long: false },
  groups: { item: 'groups', long: false },
  'long-groups': { item: 'groups', long: true },
  subscriptions: { item: 'subscriptions', long: false },
  'group-profiles': { item: 'group', long: false },
  walls: { item: 'wall', long: false },
};

/** Items that lead to people: while one is open, more of the others may come. */
export const LEADING: readonly ItemKind[] = ['name', 'friends', 'members'];

/** What of an import could be dispatched now. */
export interface PendingWork {
  readonly importId: string;
  /** Items by the kind of pack that takes them; those that wait for their next try are not counted. */
  readonly ready: Readonly<Partial<Record<PackKind, number>>>;
  /** Kinds with an item that is not final, whether it waits, is ready, or is in a call. */
  readonly open: readonly ItemKind[];
  /** Kinds with an item in a call. */
  readonly called: readonly ItemKind[];
  /** With a bounded depth lists go distance by distance: none can join those of the nearest one. */
  readonly bounded: boolean;
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
  /** Other workspaces with work for the same network: their calls and these wait in one queue. */
  readonly others?: number;
}

/** Items in one call: `most` by the network's own rules, `first` where that is only found by trying. */
export interface PackSize {
  readonly most: number;
  readonly first?: number;
}
export type PackSizes = Readonly<Record<PackKind, PackSize>>;

export interface Pack {
  readonly importId: string;
  readonly kind: PackKind;
  readonly size: number;
}

/** So much work is dispatched ahead: pause, cancel and fairness take effect within it (DESIGN 3.2). */
export const AHEAD_SECONDS = 2;
/**
 * Beside other workspaces. Workers take calls in the order in which they were dispatched, and hold fewer than 2 s of
 * many keys: what a large import has ahead there, the only call of a small one would wait for. A call is under way
 * for a third of a second, so that this still keeps every key busy.
 */
export const AHEAD_BESIDE_OTHERS_SECONDS = 1;
/**
 * Below so much work in flight a key would idle for a slot before the next answer comes: about the time of a
 * call with its way through lease, send and commit. Longer makes packs emptier, shorter leaves slots unused.
 */
export const BUSY_SECONDS = 0.15;
/** A call that began this long ago is taken to be answered: to note the answer itself would cost a commit more. */
export const ANSWERED_AFTER_MS = 200;
/** Parts of a call that was too much a second time: single items, where it held no more than these. */
const LAST_PARTS = 25;

/** The size of a pack of this kind now: what was learned in the lane, never beyond the network's own limit. */
export function sizeNow(size: PackSize, learned: number | undefined): number {
  return Math.max(1, Math.min(size.most, learned ?? size.first ?? size.most));
}

/** After a call of so many items that was too much: half of them, unless less is known to be right already. */
export function shrunk(size: PackSize, learned: number | undefined, items: number): number {
  return Math.max(1, Math.min(sizeNow(size, learned), Math.floor(items / 2)));
}

/** After a call of so many items that was not: one more, if it says anything about the size. */
export function grown(size: PackSize, learned: number | undefined, items: number): number {
  const now = sizeNow(size, learned);
  return items >= now ? Math.min(size.most, now + 1) : now;
}

/**
 * Into how many parts a call goes that was too much: first into halves, then into single items, so that none of
 * them is called more than twice again. `bad-id`: one item spoils the others; halves find it in the fewest calls.
 */
export function partsOf(why: 'too-much' | 'bad-id', splits: number, items: number): number {
  return why === 'bad-id' || splits === 0 ? 2 : Math.min(items, LAST_PARTS);
}

/** Calls of a lane that may be dispatched and not finished. */
export function mostAhead({
  callsPerSecond,
  others = 0,
}: Pick<DispatchWindow, 'callsPerSecond' | 'others'>): number {
  return Math.max(1, Math.ceil(callsPerSecond * (others > 0 ? AHEAD_BESIDE_OTHERS_SECONDS : AHEAD_SECONDS)));
}

/** What a round dispatches at once costs hardly more than one call: so much of what may be ahead is waited for. */
const ROUND_SHARE = 0.25;

/** A lane with room for fewer calls than these has enough ahead, and is left alone until more are finished. */
export function worthARound(most: number): number {
  return Math.max(1, Math.ceil(most * ROUND_SHARE));
}

/**
 * Which packs to dispatch now: round robin over the imports in the order given, full packs first, a partial one
 * where nothing can fill it any more or where keys would idle otherwise.
 */
export function planPacks(
  work: readonly PendingWork[],
  window: DispatchWindow,
  sizes: Readonly<Record<PackKind, number>>,
): Pack[] {
  if (window.callsPerSecond <= 0) return [];
  const most = mostAhead(window);
  const busy = Math.max(1, Math.ceil(window.callsPerSecond * BUSY_SECONDS));
  const packs: Pack[] = [];
  let waiting = [...work];
  while (waiting.length > 0) {
    const stillWaiting: PendingWork[] = [];
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

function nextPack(
  work: PendingWork,
  sizes: Readonly<Record<PackKind, number>>,
  unanswered: number,
  busy: number,
): Pack | undefined {
  if (work.callsLeft === 0) return undefined;
  const { importId } = work;
  const ready = (kind: PackKind): number => work.ready[kind] ?? 0;
  const full = PACK_KINDS.find((kind) => ready(kind) >= sizes[kind]);
  if (full !== undefined) return { importId, kind: full, size: sizes[full] };
  const waiting = PACK_KINDS.filter((kind) => ready(kind) > 0);
  const partial =
    waiting.find((kind) => leads(kind) && (unanswered < busy || !mayGrow(kind, work))) ??
    // These lead to nobody new, so a partial pack of them never opens work: it goes when all else is out.
    waiting.find((kind) => !leads(kind) && (unanswered === 0 || !mayGrow(kind, work)));
  return partial === undefined ? undefined : { importId, kind: partial, size: ready(partial) };
}

const leads = (kind: PackKind): boolean => LEADING.includes(ITEMS_OF[kind].item);

/** Whether what is under way may still add to the items that a pack of this kind takes. */
function mayGrow(kind: PackKind, work: PendingWork): boolean {
  switch (kind) {
    case 'names':
      return false;
    case 'members':
      return work.open.includes('name');
    case 'lists':
    case 'long-list':
      return !work.bounded && work.called.some((of) => LEADING.includes(of));
    case 'group-profiles':
      return work.open.some((of) => LEADING.includes(of) || of === 'groups' || of === 'subscriptions');
    default:
      return work.open.some((of) => LEADING.includes(of));
  }
}

function without(work: PendingWork, { kind, size }: Pack): PendingWork {
  return {
    ...work,
    ready: { ...work.ready, [kind]: (work.ready[kind] ?? 0) - size },
    callsLeft: work.callsLeft === null ? null : work.callsLeft - 1,
  };
}
