import type { Mischief } from '../mischief';
import type { Collection } from '../store/collection';
import type { Doc } from '../store/document';
import { indexable } from '../store/index-keys';
import type { IndexRange, IndexTable } from '../store/index-table';
import type { Expr } from './ast';
import type { Frame } from './scope';
import type { Evaluate } from './scope';

/** One condition on the FOR's own document that an index can answer. */
export interface Condition {
  path: string;
  operator: '==' | 'IN' | '<' | '<=' | '>' | '>=';
  value: Evaluate;
}

/** How to read a collection: which index, which conditions, and whether the order wished for comes out. */
export interface Access {
  read(frame: Frame): Iterable<Doc>;
  ordered: boolean;
  /** For tests and curiosity: `primary`, `edge`, an index' name, or `scan`. */
  via: string;
}

export interface WantedOrder {
  paths: string[];
  descending: boolean;
}

/**
 * Chooses among primary key, edge index and persistent indexes. Conditions only narrow what is read: the filters
 * are evaluated on every document anyway, so a poor choice costs time, never correctness.
 */
export function chooseAccess(
  collection: Collection,
  alternatives: Condition[][],
  order: WantedOrder | undefined,
  mischief: Mischief,
): Access {
  const single = alternatives.length === 1 ? (alternatives[0] as Condition[]) : undefined;
  const wanted = mischief.on ? undefined : order;
  if (single) return finish(one(collection, single, wanted), mischief);
  const parts = alternatives.map((conditions) => one(collection, conditions, undefined));
  if (parts.length === 0 || parts.some((part) => part.via === 'scan')) {
    return finish(one(collection, [], wanted), mischief);
  }
  return finish(
    { ordered: false, via: parts[0]?.via ?? 'scan', read: (frame) => union(parts, frame) },
    mischief,
  );
}

function finish(access: Access, mischief: Mischief): Access {
  if (!mischief.on || access.ordered) return access;
  return { ...access, read: (frame) => mischief.shuffled([...access.read(frame)]) };
}

function* union(parts: Access[], frame: Frame): Iterable<Doc> {
  const seen = new Set<unknown>();
  for (const part of parts) {
    for (const doc of part.read(frame)) {
      if (seen.has(doc['_key'])) continue;
      seen.add(doc['_key']);
      yield doc;
    }
  }
}

function one(collection: Collection, conditions: Condition[], order: WantedOrder | undefined): Access {
  return (
    byKey(collection, conditions) ??
    byEdge(collection, conditions, order) ??
    byPersistent(collection, conditions, order) ??
    byKeyRange(collection, conditions, order)
  );
}

function byKey(collection: Collection, conditions: Condition[]): Access | undefined {
  const found = conditions.find(
    ({ path, operator }) => ['_key', '_id'].includes(path) && ['==', 'IN'].includes(operator),
  );
  if (!found) return undefined;
  const prefix = `${collection.name}/`;
  return {
    ordered: false,
    via: 'primary',
    *read(frame) {
      for (const value of new Set(valuesOf(found, frame))) {
        if (typeof value !== 'string') continue;
        if (found.path === '_id' && !value.startsWith(prefix)) continue;
        const doc = collection.value(found.path === '_id' ? value.slice(prefix.length) : value);
        if (doc) yield doc;
      }
    },
  };
}

function byEdge(
  collection: Collection,
  conditions: Condition[],
  order: WantedOrder | undefined,
): Access | undefined {
  const ends = collection.edgeEnds;
  const found = conditions.find(
    ({ path, operator }) => ['_from', '_to'].includes(path) && ['==', 'IN'].includes(operator),
  );
  if (!ends || !found) return undefined;
  const table = found.path === '_from' ? ends.from : ends.to;
  const above = conditions.find(({ path, operator }) => path === '_key' && operator === '>');
  const ordered = found.operator === '==' && sameOrder(order, ['_key']);
  const reverse = ordered && order?.descending === true;
  return {
    ordered,
    via: 'edge',
    *read(frame) {
      const afterKey = above?.value(frame);
      for (const value of new Set(valuesOf(found, frame))) {
        const range: IndexRange = {
          equal: [value],
          ...(typeof afterKey === 'string' && !reverse ? { afterKey } : {}),
        };
        yield* documents(collection, table, range, reverse);
      }
    },
  };
}

/** The index with the longest run of equal fields wins; a range on the next field counts half. */
function byPersistent(
  collection: Collection,
  conditions: Condition[],
  order: WantedOrder | undefined,
): Access | undefined {
  let best: { access: Access; score: number } | undefined;
  for (const table of collection.persistentIndexes) {
    const candidate = persistent(collection, table, conditions, order);
    if (candidate && candidate.score > (best?.score ?? 0)) best = candidate;
  }
  return best?.access;
}

function persistent(
  collection: Collection,
  table: IndexTable,
  conditions: Condition[],
  order: WantedOrder | undefined,
): { access: Access; score: number } | undefined {
  const { fields, sparse, name } = table.definition;
  const equal: Condition[] = [];
  for (const field of fields) {
    const here = conditions.filter(({ path }) => path === field);
    const found =
      here.find(({ operator }) => operator === '==') ?? here.find(({ operator }) => operator === 'IN');
    if (!found || (found.operator === 'IN' && equal.some(({ operator }) => operator === 'IN'))) break;
    equal.push(found);
  }
  const next = fields[equal.length];
  const ranges = conditions.filter(
    ({ path, operator }) => path === next && operator !== '==' && operator !== 'IN',
  );
  const rest = [...fields.slice(equal.length), '_key'];
  const single = equal.every(({ operator }) => operator === '==');
  const ordered = single && !sparse && sameOrder(order, rest, fields.slice(0, equal.length));
  const score = equal.length * 2 + (ranges.length > 0 ? 1 : 0) + (ordered ? 0.5 : 0);
  if (score === 0) return undefined;
  const reverse = ordered && order?.descending === true;
  const access: Access = {
    ordered,
    via: name,
    *read(frame) {
      for (const values of combinations(equal, frame)) {
        const range = withBounds(values, ranges, frame);
        const nulls =
          values.some((value) => value === null) || (sparse && !range.lower && next !== undefined);
        // An order that goes with equal values of all fields is that of the keys, as here.
        if ((sparse && nulls) || !values.every(indexable)) yield* collection.scan({ reverse });
        else yield* documents(collection, table, range, reverse);
      }
    },
  };
  return { access, score };
}

function byKeyRange(collection: Collection, conditions: Condition[], order: WantedOrder | undefined): Access {
  const ordered = sameOrder(order, ['_key']);
  const bounds = conditions.filter(
    ({ path, operator }) => path === '_key' && operator !== '==' && operator !== 'IN',
  );
  const names = { '>': 'after', '>=': 'from', '<': 'before', '<=': 'to' } as const;
  return {
    ordered,
    via: bounds.length > 0 || ordered ? 'primary' : 'scan',
    read(frame) {
      const range: Parameters<Collection['scan']>[0] = { reverse: ordered && order?.descending === true };
      for (const { operator, value } of bounds) {
        const bound = value(frame);
        const name = names[operator as keyof typeof names];
        if (typeof bound === 'string' && name) range[name] = bound;
      }
      return collection.scan(range);
    },
  };
}

function* documents(
  collection: Collection,
  table: IndexTable,
  range: IndexRange,
  reverse: boolean,
): Iterable<Doc> {
  for (const key of table.keys(range, reverse)) {
    const doc = collection.value(key);
    if (doc) yield doc;
  }
}

function withBounds(equal: unknown[], ranges: Condition[], frame: Frame): IndexRange {
  let range: IndexRange = { equal };
  for (const { operator, value } of ranges) {
    const bound = value(frame);
    if (!indexable(bound)) continue;
    const limit = { value: bound, inclusive: operator === '<=' || operator === '>=' };
    range = operator.startsWith('>') ? { ...range, lower: limit } : { ...range, upper: limit };
  }
  return range;
}

function combinations(conditions: Condition[], frame: Frame): unknown[][] {
  return conditions.reduce<unknown[][]>(
    (rows, condition) =>
      rows.flatMap((row) => [...new Set(valuesOf(condition, frame))].map((value) => [...row, value])),
    [[]],
  );
}

function valuesOf({ operator, value }: Condition, frame: Frame): unknown[] {
  const found = value(frame);
  if (operator === '==') return [found ?? null];
  return Array.isArray(found) ? (found as unknown[]) : [];
}

/** True when `available` begins with the wished paths; fields that are held equal may stand anywhere. */
function sameOrder(
  order: WantedOrder | undefined,
  available: string[],
  fixed: readonly string[] = [],
): boolean {
  if (!order) return false;
  const paths = order.paths.filter((path) => !fixed.includes(path));
  return paths.every((path, i) => available[i] === path);
}

/** `doc.a.b` as "a.b" when the expression is an attribute of that variable and nothing else. */
export function pathOf(expr: Expr, variable: string, bind: (name: string) => unknown): string | undefined {
  if (expr.type !== 'attribute') return undefined;
  const name =
    expr.name.type === 'bind'
      ? bind(expr.name.name)
      : expr.name.type === 'value'
        ? expr.name.value
        : undefined;
  if (typeof name !== 'string') return undefined;
  if (expr.of.type === 'name') return expr.of.name === variable ? name : undefined;
  const outer = pathOf(expr.of, variable, bind);
  return outer === undefined ? undefined : `${outer}.${name}`;
}
