import { type Kind, KINDS, type Trace } from './person-scan';

/** One look at everything. */
export interface Look {
  readonly traces: readonly Trace[];
  readonly unread: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

export interface ErasureFigures {
  readonly before: Look;
  readonly afterComplete: Look;
  /** After a rebuild of the views, a redrive and a new import. */
  readonly again: Look;
  /** From the request to `complete`. */
  readonly completeMs: number;
  /** What is wrong with the fleet's answers, in words. */
  readonly faults: readonly string[];
}

/** Where the person must be found before the erasure: a look that finds nothing there proves nothing afterwards. */
export const HOLDING: readonly Kind[] = [
  'topic segments',
  'tables and indexes of PostgreSQL',
  'write-ahead log of PostgreSQL',
  'rows of PostgreSQL',
  'files of the graph store',
  'keys of redis-cache',
  'exports',
];
/** Topics likewise, by the beginning of the partition's name. */
export const HOLDING_TOPICS = [
  'sociograph.social.users.v1-',
  'sociograph.social.friend-lists.v1-',
  'sociograph.social.posts.v1-',
  'sociograph.graph.changes.v1-',
  'sociograph.social.users.v1.graph-storage.dlt-',
] as const;
const ID_AND_NAMES = ['id', 'first name', 'last name'];
const SHOWN = 12;

/** What of the bar is missed, in words. */
export function missesOf({ before, afterComplete, again, faults }: ErasureFigures): string[] {
  const misses = [...faults];
  for (const kind of HOLDING)
    if (!before.traces.some((trace) => trace.kind === kind))
      misses.push(`before the erasure nothing was found in ${kind}: the look cannot be trusted`);
  for (const topic of HOLDING_TOPICS)
    if (!before.traces.some(({ place }) => place.includes(`/${topic}`)))
      misses.push(`before the erasure nothing was found in ${topic.slice(0, -1)}`);
  for (const thing of ID_AND_NAMES)
    if (!before.traces.some(({ what }) => what === thing))
      misses.push(`before the erasure no ${thing} was found anywhere`);
  misses.push(...foundIn(afterComplete, 'after `complete`'));
  misses.push(...foundIn(again, 'after rebuild, redrive and a new import'));
  for (const look of [before, afterComplete, again]) misses.push(...look.unread);
  return misses;
}

function foundIn({ traces }: Look, when: string): string[] {
  const lines = traces.map(
    ({ place, at, what, encoding }) => `${when}: ${what} (${encoding}) in ${place} at ${at}`,
  );
  const more = lines.length - SHOWN;
  return more > 0 ? [...lines.slice(0, SHOWN), `${when}: ${more} more`] : lines;
}

/** Places of a kind in which something was found. */
export function placesOf({ traces }: Look, kind: Kind): number {
  return new Set(traces.filter((trace) => trace.kind === kind).map(({ place }) => place)).size;
}

export function rowsOf({ before, afterComplete, again }: ErasureFigures) {
  return KINDS.map((kind) => ({
    kind,
    before: placesOf(before, kind),
    afterComplete: placesOf(afterComplete, kind),
    again: placesOf(again, kind),
  }));
}
