import { partitionOf, recordKey } from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import { localClustering, type GraphSummary } from './graph-summary';
import { contentText } from './contents';
import { contentOf, type GraphSnapshot } from './graph-view';
import { widened } from './links';
import { hashesOf, StateHash } from './state-hash';
import { listText, OWN_LISTS } from './subscriptions';

/** What is kept of one graph, or what counting it anew gives; arrays by number of the person. */
export interface GraphFigures {
  summary: GraphSummary;
  /** By partition. */
  hashes: string[];
  degrees: Uint32Array;
  triangles: Float64Array;
}

/** Elementary steps between two yields: well below a millisecond. */
const STEPS = 20_000;
const SLICE_MS = 8;

/**
 * All figures of a snapshot from nothing: from the own lists and documents alone, by other means than the incremental
 * ones (rows built and sorted at once, triangles by forward counting, components by union and find). Yields often, so
 * that whoever runs it can let other work in. O(m^1.5) steps for m friendships (1.3 million: about 1.5 s of a core) and
 * about 40 bytes a friendship while it runs.
 */
export function* countAnew(snapshot: GraphSnapshot, partitionCount: number): Generator<void, GraphFigures> {
  const lists = yield* readLists(snapshot, partitionCount);
  const rows = yield* mutualRows(lists);
  const triangles = yield* countTriangles(rows);
  const components = yield* componentSizes(rows, lists.present);
  const summary = summaryFrom(lists.present, rows.sizes, triangles, components);
  return { summary, hashes: lists.hashes, degrees: rows.sizes, triangles };
}

/** Runs it in slices of some milliseconds; timers and requests come in between. What `goOn` throws ends it. */
export async function inSlices<T>(
  work: Generator<void, T>,
  clock: Clock,
  goOn: () => void = () => undefined,
): Promise<T> {
  for (;;) {
    const until = clock.monotonicMs() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (clock.monotonicMs() < until);
    await new Promise((resolve) => setImmediate(resolve));
    goOn();
  }
}

interface Lists {
  present: Uint8Array;
  /** Whose list it is, then where it begins in `names`; it ends where the next one begins. */
  owners: Uint32Array;
  begins: Uint32Array;
  count: number;
  names: Uint32Array;
  hashes: string[];
}

/** Everybody's friends by number, ascending: those of v stand in friends[starts[v] .. starts[v] + sizes[v]). */
interface Rows {
  starts: Uint32Array;
  sizes: Uint32Array;
  friends: Uint32Array;
}

function* readLists(snapshot: GraphSnapshot, partitionCount: number): Generator<void, Lists> {
  const { workspaceId, network, ids } = snapshot;
  const hash = new StateHash(partitionCount);
  let steps = 0;
  for (let person = 0; person < ids.length; person++) {
    const key = recordKey(workspaceId, network, 'user', ids[person]!);
    hash.introduce(person, key, partitionOf(key, partitionCount));
    if ((steps += key.length * 4) > STEPS) yield void (steps = 0);
  }
  const present = new Uint8Array(ids.length);
  const owners = new Uint32Array(ids.length);
  const begins = new Uint32Array(ids.length + 1);
  let names = new Uint32Array(1024);
  let count = 0;
  let used = 0;
  for (const { person, document, friends, lists } of snapshot.vertices()) {
    if (document !== undefined) {
      present[person] = 1;
      hash.document(person, contentOf(document), 1);
    }
    for (const name of OWN_LISTS) {
      const ids = lists[name] ?? [];
      if (ids.length > 0) hash.document(person, listText(name, ids), 1);
      steps += ids.length * 8;
    }
    if (used + friends.length > names.length) names = widened(names, used + friends.length);
    owners[count] = person;
    begins[count++] = used;
    for (const friend of friends) {
      names[used++] = friend;
      hash.name(person, friend, 1);
    }
    if ((steps += 200 + friends.length * 8) > STEPS) yield void (steps = 0);
  }
  begins[count] = used;
  const beside = yield* hashContents(snapshot, partitionCount);
  return { present, owners, begins, count, names, hashes: hashesOf([hash, beside], partitionCount) };
}

function* hashContents(
  { workspaceId, network, contents }: GraphSnapshot,
  partitionCount: number,
): Generator<void, StateHash> {
  const hash = new StateHash(partitionCount);
  for (const [number, content] of contents.entries()) {
    const key = recordKey(workspaceId, network, content.kind, content.id);
    hash.introduce(number, key, partitionOf(key, partitionCount));
    const text = contentText(content);
    if (text !== undefined) hash.document(number, text, 1);
    if (number % 20 === 19) yield;
  }
  return hash;
}

function* mutualRows({ present, owners, begins, count, names }: Lists): Generator<void, Rows> {
  const people = present.length;
  const room = new Uint32Array(people);
  let steps = 0;
  for (let list = 0; list < count; list++) {
    const owner = owners[list]!;
    if (present[owner] === 0) continue;
    for (let at = begins[list]!; at < begins[list + 1]!; at++) {
      if (present[names[at]!] === 0 || names[at] === owner) continue;
      room[owner]!++;
      room[names[at]!]!++;
    }
    if ((steps += begins[list + 1]! - begins[list]!) > STEPS) yield void (steps = 0);
  }
  const starts = new Uint32Array(people);
  let total = 0;
  for (let person = 0; person < people; person++) {
    starts[person] = total;
    total += room[person]!;
  }
  const friends = new Uint32Array(total);
  const sizes = new Uint32Array(people);
  for (let list = 0; list < count; list++) {
    const owner = owners[list]!;
    if (present[owner] === 0) continue;
    for (let at = begins[list]!; at < begins[list + 1]!; at++) {
      const friend = names[at]!;
      if (present[friend] === 0 || friend === owner) continue;
      friends[starts[owner]! + sizes[owner]!++] = friend;
      friends[starts[friend]! + sizes[friend]!++] = owner;
    }
    if ((steps += begins[list + 1]! - begins[list]!) > STEPS) yield void (steps = 0);
  }
  for (let person = 0; person < people; person++) {
    const row = friends.subarray(starts[person]!, starts[person]! + sizes[person]!).sort();
    let kept = 0;
    for (let at = 0; at < row.length; at++) if (at === 0 || row[at] !== row[at - 1]) row[kept++] = row[at]!;
    sizes[person] = kept;
    if ((steps += row.length * 8) > STEPS) yield void (steps = 0);
  }
  return { starts, sizes, friends };
}

/** Each triangle is found once, from its person of the smallest degree, over rows that lead to larger degrees only. */
function* countTriangles({ starts, sizes, friends }: Rows): Generator<void, Float64Array> {
  const people = sizes.length;
  const triangles = new Float64Array(people);
  const upwards = new Uint32Array(friends.length);
  const ups = new Uint32Array(people);
  const leads = (from: number, to: number): boolean =>
    sizes[from]! < sizes[to]! || (sizes[from] === sizes[to] && from < to);
  let steps = 0;
  for (let person = 0; person < people; person++) {
    for (let at = starts[person]!; at < starts[person]! + sizes[person]!; at++) {
      if (leads(person, friends[at]!)) upwards[starts[person]! + ups[person]!++] = friends[at]!;
    }
    if ((steps += sizes[person]!) > STEPS) yield void (steps = 0);
  }
  const marks = new Uint32Array(people);
  for (let person = 0; person < people; person++) {
    const begin = starts[person]!;
    const end = begin + ups[person]!;
    for (let at = begin; at < end; at++) marks[upwards[at]!] = person + 1;
    for (let at = begin; at < end; at++) {
      const middle = upwards[at]!;
      const last = starts[middle]! + ups[middle]!;
      for (let further = starts[middle]!; further < last; further++) {
        const third = upwards[further]!;
        if (marks[third] !== person + 1) continue;
        triangles[person]!++;
        triangles[middle]!++;
        triangles[third]!++;
      }
      if ((steps += ups[middle]! + 1) > STEPS) yield void (steps = 0);
    }
  }
  return triangles;
}

function* componentSizes(
  { starts, sizes, friends }: Rows,
  present: Uint8Array,
): Generator<void, Map<number, number>> {
  const parents = Uint32Array.from(sizes, (_, person) => person);
  const rootOf = (person: number): number => {
    let at = person;
    while (parents[at] !== at) at = parents[at] = parents[parents[at]!]!;
    return at;
  };
  let steps = 0;
  for (let person = 0; person < sizes.length; person++) {
    for (let at = starts[person]!; at < starts[person]! + sizes[person]!; at++)
      parents[rootOf(friends[at]!)] = rootOf(person);
    if ((steps += sizes[person]! * 4) > STEPS) yield void (steps = 0);
  }
  const components = new Map<number, number>();
  for (let person = 0; person < sizes.length; person++) {
    if (present[person] === 1) components.set(rootOf(person), (components.get(rootOf(person)) ?? 0) + 1);
    if (++steps > STEPS) yield void (steps = 0);
  }
  return components;
}

function summaryFrom(
  present: Uint8Array,
  degrees: Uint32Array,
  triangles: Float64Array,
  components: Map<number, number>,
): GraphSummary {
  const byDegree = new Map<number, { people: number; triangles: number }>();
  let [users, ends, corners, wedges] = [0, 0, 0, 0];
  for (let person = 0; person < present.length; person++) {
    if (present[person] === 0) continue;
    const degree = degrees[person]!;
    const row = byDegree.get(degree) ?? { people: 0, triangles: 0 };
    byDegree.set(degree, row);
    row.people++;
    row.triangles += triangles[person]!;
    users++;
    ends += degree;
    corners += triangles[person]!;
    wedges += (degree * (degree - 1)) / 2;
  }
  const rows = [...byDegree].sort(([a], [b]) => a - b);
  const clustering = rows.reduce((sum, [degree, row]) => sum + localClustering(degree, row.triangles), 0);
  let largestComponent = 0;
  for (const size of components.values()) largestComponent = Math.max(largestComponent, size);
  return {
    users,
    friendships: ends / 2,
    triangles: corners / 3,
    wedges,
    averageClustering: users === 0 ? 0 : clustering / users,
    transitivity: wedges === 0 ? 0 : corners / wedges,
    closedTriangleFraction: wedges === 0 ? 0 : corners / 3 / (wedges - (2 * corners) / 3),
    components: components.size,
    largestComponent,
    degreeDistribution: rows.map(([degree, row]) => [degree, row.people]),
  };
}
