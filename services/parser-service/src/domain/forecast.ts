import type { ImportScope, Inclusion } from './import-scope';
import type { ItemKind } from './items';
import { ITEMS_OF, PACK_KINDS, type PackKind, type PackSizes, sizeNow } from './packing';

export interface ForecastInput {
  /** Seeds by what they are. */
  readonly people: number;
  readonly groups: number;
  readonly names: number;
  readonly scope: ImportScope;
  readonly depth: number | null;
  readonly peopleLimit: number | null;
  readonly callsLimit: number | null;
  /** What one key allows, and what all keys of the workspace allow together. */
  readonly keyCallsPerSecond: number;
  readonly callsPerSecond: number;
}

/** Of a refresh: how much of what is known it fetches again, and how much of that is in doubt. */
export interface RefreshCounts {
  people: number;
  lists: number;
  disputed: number;
}

export interface Forecast {
  refresh?: RefreshCounts;
  calls: number;
  keyTimeMs: number;
  /** Null while the workspace has no usable key. */
  etaMs: number | null;
}

/** The packs in which each list of a person is fetched. */
const PACK_OF: readonly (readonly [Inclusion, PackKind])[] = [
  ['friends', 'lists'],
  ['groups', 'groups'],
  ['subscriptions', 'subscriptions'],
  ['walls', 'walls'],
];

/**
 * What the import will cost at least. How many people lie beyond the seeds is not known before their lists are
 * read, so only a people limit says more, and only where lists lead anywhere; a list counts as one page, a name as a
 * person.
 */
export function forecast(input: ForecastInput, sizes: PackSizes): Forecast {
  const { groups, names, depth, scope } = input;
  const seeds = input.people + names;
  const asked = (of: Inclusion): boolean => scope.include.includes(of);
  const leads = asked('friends') || (asked('members') && groups + names > 0);
  const people = leads ? Math.max(seeds, input.peopleLimit ?? 0) : seeds;
  const listed = depth === 0 ? 0 : depth === 1 ? seeds : people;
  const packs = (kind: PackKind, items: number): number => Math.ceil(items / sizeNow(sizes[kind], undefined));
  const needed =
    packs('names', names) +
    packs('profiles', people) +
    PACK_OF.reduce((sum, [of, kind]) => sum + (asked(of) ? packs(kind, listed) : 0), 0) +
    packs('group-profiles', groups) +
    (asked('members') ? packs('members', groups) : 0) +
    (asked('walls') ? packs('walls', groups) : 0);
  return timesOf(needed, input);
}

/** What items that are known one by one will cost; a list counts as one page. */
export function forecastOfItems(
  items: readonly { kind: ItemKind }[],
  pace: Pace,
  sizes: PackSizes,
): Forecast {
  const packs = PACK_KINDS.filter((kind) => !ITEMS_OF[kind].long).map((kind) => {
    const count = items.filter((item) => item.kind === ITEMS_OF[kind].item).length;
    return Math.ceil(count / sizeNow(sizes[kind], undefined));
  });
  return timesOf(
    packs.reduce((sum, count) => sum + count, 0),
    pace,
  );
}

type Pace = Pick<ForecastInput, 'callsLimit' | 'keyCallsPerSecond' | 'callsPerSecond'>;

function timesOf(needed: number, { callsLimit, keyCallsPerSecond, callsPerSecond }: Pace): Forecast {
  const calls = callsLimit === null ? needed : Math.min(needed, callsLimit);
  return {
    calls,
    keyTimeMs: Math.ceil((calls * 1_000) / keyCallsPerSecond),
    etaMs: callsPerSecond > 0 ? Math.ceil((calls * 1_000) / callsPerSecond) : null,
  };
}
