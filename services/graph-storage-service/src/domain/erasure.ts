import type { SourcePositions } from './ports';

/** Where traces of a person may be, in the order in which the receipt lists them. */
export const PLACES = [
  'vertex',
  'edges',
  'history',
  'posts',
  'lists-of-others',
  'exports',
  'views',
  'caches',
  'queues',
  'change-log',
  'observation-log',
  'dead-letters',
  'logs',
  'database-files',
] as const;
export type Place = (typeof PLACES)[number];

/** `goneBy` is an estimate (retention, compaction), `doneAt` what was seen to be so; ms since the epoch. */
export interface PlaceState {
  doneAt?: number | undefined;
  goneBy?: number | undefined;
}

/** The erasure of one person; it names them only until it is complete. */
export interface Erasure {
  readonly id: string;
  readonly workspaceId: string;
  readonly network: string;
  readonly mark: string;
  /** What is needed to finish; undefined once complete. */
  readonly personId: string | undefined;
  /** `erasing`: sweeps still find traces or may; `waiting`: logs have to forget; `complete`: nothing is left. */
  readonly state: 'erasing' | 'waiting' | 'complete';
  readonly requestedAt: number;
  readonly requestedBy: string;
  /** When everybody could know the mark from. */
  readonly suppressedAt?: number | undefined;
  readonly sweptAt?: number | undefined;
  readonly checkedAt?: number | undefined;
  readonly completedAt?: number | undefined;
  /**
   * What sweeps took the person out of or away. It is published anew with each sweep: whoever had an older state in
   * hand may have published that last.
   */
  readonly touched: Touched;
  /** Where the logs ended when nothing was left to be found: what lies before may hold the id. */
  readonly ends: SourcePositions;
  readonly places: Readonly<Record<Place, PlaceState>>;
}

export interface Touched {
  /** Keys of people whose lists held the person. */
  readonly people: readonly string[];
  /** Ids of posts that repeated one of the person's. */
  readonly repeats: readonly string[];
  /** Ids of the person's own posts, which are gone. */
  readonly posts: readonly string[];
}

const NOTHING_TOUCHED: Touched = { people: [], repeats: [], posts: [] };

/** How long traces stay where nobody deletes them, in ms, by place. */
export type Retention = Readonly<
  Record<'queues' | 'change-log' | 'observation-log' | 'dead-letters', number>
>;

/** What one sweep took away. */
export interface Swept {
  vertex: number;
  edges: number;
  history: number;
  posts: number;
  'lists-of-others': number;
}

export function erasureOf(
  request: Pick<Erasure, 'workspaceId' | 'network' | 'mark' | 'requestedBy'> & { personId: string },
  now: number,
): Erasure {
  const places = Object.fromEntries(PLACES.map((place) => [place, {}])) as Record<Place, PlaceState>;
  // The logs of the platform name nobody (constant sentences, routes instead of addresses).
  places.logs = { doneAt: now };
  return {
    ...request,
    id: request.mark.slice(0, 32),
    state: 'erasing',
    requestedAt: now,
    touched: NOTHING_TOUCHED,
    ends: {},
    places,
  };
}

/** Notes what is about to be changed: a process that dies before it has published it is not the only one who knows. */
export function touching(erasure: Erasure, more: Partial<Touched>): Erasure {
  const { people, repeats, posts } = erasure.touched;
  const both = (known: readonly string[], added: readonly string[] = []): string[] => [
    ...new Set([...known, ...added]),
  ];
  const touched = {
    people: both(people, more.people),
    repeats: both(repeats, more.repeats),
    posts: both(posts, more.posts),
  };
  return { ...erasure, touched };
}

export function suppressed(erasure: Erasure, now: number): Erasure {
  return { ...erasure, suppressedAt: now };
}

/**
 * A sweep is due at once, and again each `settleMs` until one finds nothing that began `settleMs` after everybody could
 * know the mark: what was in somebody's hands then has been stored or dropped by that time.
 */
export function isSweepDue(erasure: Erasure, now: number, settleMs: number): boolean {
  if (erasure.state !== 'erasing' || erasure.suppressedAt === undefined) return false;
  return erasure.sweptAt === undefined || now - erasure.sweptAt >= settleMs;
}

/** After a sweep that began at `began`. `ends` must have been read after the sweep. */
export function afterSweep(
  erasure: Erasure,
  swept: Swept,
  at: { began: number; now: number; settleMs: number },
  ends: SourcePositions,
  retention: Retention,
): Erasure {
  const { began, now, settleMs } = at;
  const places = { ...erasure.places };
  for (const [place, count] of Object.entries(swept) as [keyof Swept, number][])
    if (count > 0 || places[place].doneAt === undefined) places[place] = { doneAt: now };
  const after: Erasure = { ...erasure, sweptAt: now, places };
  const nothing = Object.values(swept).every((count) => count === 0);
  if (!nothing || began - (erasure.suppressedAt ?? began) < settleMs) return after;
  for (const place of ['queues', 'change-log', 'observation-log', 'dead-letters'] as const)
    places[place] = { goneBy: now + retention[place] };
  return { ...after, state: 'waiting', touched: NOTHING_TOUCHED, ends };
}

export function isCheckDue({ state, checkedAt }: Erasure, now: number, checkMs: number): boolean {
  return state === 'waiting' && (checkedAt === undefined || now - checkedAt >= checkMs);
}

/** What was looked at: true where nothing of the person is left. */
export type Findings = Readonly<
  Record<'views' | 'queues' | 'change-log' | 'observation-log' | 'dead-letters', boolean>
>;

/** A place that was seen clean stays so: who could bring the person back knows the mark. */
export function afterCheck(erasure: Erasure, findings: Findings, now: number): Erasure {
  const places = { ...erasure.places };
  const done = (place: Place, yes: boolean): void => {
    if (yes && places[place].doneAt === undefined) places[place] = { ...places[place], doneAt: now };
  };
  done('views', findings.views);
  // A cache is emptied before the view says how far it has come.
  done('caches', findings.views);
  done('change-log', findings['change-log']);
  done('observation-log', findings['observation-log']);
  done('dead-letters', findings['dead-letters']);
  done('queues', findings.queues);
  return { ...erasure, checkedAt: now, places };
}

export function exportsPurged(erasure: Erasure, now: number): Erasure {
  return { ...erasure, places: { ...erasure.places, exports: { doneAt: now } } };
}

/** True when only the files of the store may still hold bytes of what was deleted, and the erasure itself the id. */
export function onlyFilesLeft({ state, places }: Erasure): boolean {
  return (
    state === 'waiting' &&
    PLACES.every((place) => place === 'database-files' || places[place].doneAt !== undefined)
  );
}

/** No longer says whom it was about: before the files are rewritten, or they would keep that. */
export function anonymous(erasure: Erasure): Erasure {
  return { ...erasure, personId: undefined, ends: {} };
}

/** Nothing is left. */
export function completed(erasure: Erasure, now: number): Erasure {
  const places = { ...erasure.places, 'database-files': { doneAt: now } };
  return { ...erasure, state: 'complete', completedAt: now, places };
}
