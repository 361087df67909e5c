import { unsupported } from '../faults';
import { attribute, compareValues, finite, isTrue, toNumber, toText } from './values';

type AqlFunction = (...args: unknown[]) => unknown;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] | undefined =>
  Array.isArray(value) ? (value as unknown[]) : undefined;
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function unique(values: unknown[]): unknown[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const id = identity(value);
    return seen.has(id) ? false : Boolean(seen.add(id));
  });
}

/** Text that is equal for equal AQL values; attribute names sorted, nulls left out as `==` does. */
export function identity(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(identity).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const names = Object.keys(value).filter((name) => value[name] !== null && value[name] !== undefined);
  return `{${names
    .sort()
    .map((name) => `${JSON.stringify(name)}:${identity(value[name])}`)
    .join(',')}}`;
}

function flatten(values: unknown[], depth: number): unknown[] {
  return values.flatMap((value) => (Array.isArray(value) && depth > 0 ? flatten(value, depth - 1) : [value]));
}

function numbers(value: unknown): number[] | undefined {
  const kept = list(value)?.filter((item) => item !== null);
  return kept?.every((item) => typeof item === 'number') ? kept : undefined;
}

function length(value: unknown): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === 'boolean') return Number(value);
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : [...toText(value)].length;
}

function extreme(value: unknown, sign: 1 | -1): unknown {
  const items = list(value)?.filter((item) => item !== null) ?? [];
  return (
    items.reduce<unknown>(
      (best, item) => (best === undefined || sign * compareValues(item, best) > 0 ? item : best),
      undefined,
    ) ?? null
  );
}

/** Names written as patterns: `%` any text, `_` one character, backslash escapes. */
export function likePattern(pattern: string, insensitive: boolean): RegExp {
  const source = pattern.replace(
    /\\([\s\S])|[%_]|[.*+?^${}()|[\]\\]/g,
    (found: string, escaped: string | undefined) => {
      if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\]/, '\\$&');
      return found === '%' ? '[\\s\\S]*' : found === '_' ? '[\\s\\S]' : `\\${found}`;
    },
  );
  return new RegExp(`^${source}$`, insensitive ? 'iu' : 'u');
}

const FUNCTIONS: Readonly<Record<string, AqlFunction>> = {
  LENGTH: length,
  COUNT: length,
  NOT_NULL: (...args) => args.find((arg) => arg !== null && arg !== undefined) ?? null,
  FIRST: (values) => list(values)?.[0] ?? null,
  LAST: (values) => list(values)?.at(-1) ?? null,
  NTH: (values, at) => list(values)?.[toNumber(at)] ?? null,
  APPEND: (a, b, distinct) => {
    const joined = [...(list(a) ?? []), ...(list(b) ?? (b === null ? [] : [b]))];
    return isTrue(distinct) ? unique(joined) : joined;
  },
  PUSH: (a, item, distinct) => {
    const values = list(a) ?? [];
    const known = isTrue(distinct) && values.some((value) => compareValues(value, item) === 0);
    return known ? values : [...values, item];
  },
  UNION: (...lists) => lists.flatMap((values) => list(values) ?? []),
  UNION_DISTINCT: (...lists) => unique(lists.flatMap((values) => list(values) ?? [])),
  INTERSECTION: (first, ...others) => {
    const sets = others.map((values) => new Set((list(values) ?? []).map(identity)));
    return unique(list(first) ?? []).filter((value) => sets.every((set) => set.has(identity(value))));
  },
  MINUS: (first, ...others) => {
    const gone = new Set(others.flatMap((values) => (list(values) ?? []).map(identity)));
    return unique(list(first) ?? []).filter((value) => !gone.has(identity(value)));
  },
  UNIQUE: (values) => (list(values) ? unique(list(values) as unknown[]) : null),
  SORTED: (values) => list(values)?.slice().sort(compareValues) ?? null,
  SORTED_UNIQUE: (values) => (list(values) ? unique(list(values) as unknown[]).sort(compareValues) : null),
  COUNT_DISTINCT: (values) => unique(list(values) ?? []).length,
  REVERSE: (value) =>
    list(value)?.slice().reverse() ??
    (text(value) === undefined ? null : [...(value as string)].reverse().join('')),
  SLICE: (values, start, count) => {
    const from = toNumber(start);
    const rest = list(values)?.slice(from);
    return (count === undefined || count === null ? rest : rest?.slice(0, toNumber(count))) ?? null;
  },
  FLATTEN: (values, depth) =>
    list(values) ? flatten(list(values) as unknown[], toNumber(depth ?? 1)) : null,
  POSITION: (values, item, wantIndex) => {
    const at = (list(values) ?? []).findIndex((value) => compareValues(value, item) === 0);
    return isTrue(wantIndex) ? at : at >= 0;
  },
  RANGE: (from, to, step) => {
    const [low, high, by] = [
      toNumber(from),
      toNumber(to),
      toNumber(step ?? (toNumber(from) <= toNumber(to) ? 1 : -1)),
    ];
    if (by === 0 || (high - low) * by < 0) return low === high ? [low] : null;
    return Array.from({ length: Math.floor((high - low) / by) + 1 }, (_, i) => low + i * by);
  },
  MIN: (values) => extreme(values, -1),
  MAX: (values) => extreme(values, 1),
  SUM: (values) => numbers(values)?.reduce((sum, value) => sum + value, 0) ?? null,
  AVERAGE: (values) => average(numbers(values)),
  AVG: (values) => average(numbers(values)),
  ABS: (value) => Math.abs(toNumber(value)),
  CEIL: (value) => Math.ceil(toNumber(value)),
  FLOOR: (value) => Math.floor(toNumber(value)),
  ROUND: (value) => Math.floor(toNumber(value) + 0.5),
  SQRT: (value) => finite(Math.sqrt(toNumber(value))),
  POW: (base, exponent) => finite(Math.pow(toNumber(base), toNumber(exponent))),
  TO_NUMBER: toNumber,
  TO_STRING: toText,
  TO_BOOL: isTrue,
  TO_ARRAY: (value) =>
    value === null ? [] : Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [value],
  IS_NULL: (value) => value === null,
  IS_BOOL: (value) => typeof value === 'boolean',
  IS_NUMBER: (value) => typeof value === 'number',
  IS_STRING: (value) => typeof value === 'string',
  IS_ARRAY: Array.isArray,
  IS_LIST: Array.isArray,
  IS_OBJECT: isObject,
  IS_DOCUMENT: isObject,
  CONCAT: (...args) =>
    args
      .flatMap((arg) => (Array.isArray(arg) && args.length === 1 ? (arg as unknown[]) : [arg]))
      .map(toText)
      .join(''),
  CONCAT_SEPARATOR: (separator, ...args) => {
    const parts = args.length === 1 && Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
    return parts
      .filter((part) => part !== null)
      .map(toText)
      .join(toText(separator));
  },
  LOWER: (value) => toText(value).toLowerCase(),
  UPPER: (value) => toText(value).toUpperCase(),
  TRIM: (value) => toText(value).trim(),
  CHAR_LENGTH: (value) => [...toText(value)].length,
  SUBSTRING: (value, offset, count) => {
    const characters = [...toText(value)];
    const from = toNumber(offset) < 0 ? Math.max(0, characters.length + toNumber(offset)) : toNumber(offset);
    return characters
      .slice(from, count === undefined || count === null ? undefined : from + toNumber(count))
      .join('');
  },
  LEFT: (value, count) => [...toText(value)].slice(0, toNumber(count)).join(''),
  RIGHT: (value, count) => (toNumber(count) === 0 ? '' : [...toText(value)].slice(-toNumber(count)).join('')),
  CONTAINS: (value, search, wantIndex) => {
    const at = toText(value).indexOf(toText(search));
    return isTrue(wantIndex) ? at : at >= 0;
  },
  STARTS_WITH: (value, prefix) =>
    (Array.isArray(prefix) ? (prefix as unknown[]) : [prefix]).some(
      (one) => typeof value === 'string' && value.startsWith(toText(one)),
    ),
  SPLIT: (value, separator) => {
    if (separator === undefined || separator === null) return [toText(value)];
    const separators = (list(separator) ?? [separator]).map(toText);
    return toText(value).split(
      new RegExp(separators.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')),
    );
  },
  LIKE: (value, pattern, insensitive) =>
    likePattern(toText(pattern), isTrue(insensitive)).test(toText(value)),
  HAS: (value, name) => isObject(value) && Object.hasOwn(value, toText(name)),
  ATTRIBUTES: (value) => (isObject(value) ? Object.keys(value) : null),
  KEYS: (value) => (isObject(value) ? Object.keys(value) : null),
  VALUES: (value, plain) =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, one]) => (isTrue(plain) && name.startsWith('_') ? [] : [one]))
      : null,
  KEEP: (value, ...names) =>
    isObject(value) ? pick(value, (name) => flatten(names, 1).includes(name)) : null,
  UNSET: (value, ...names) =>
    isObject(value) ? pick(value, (name) => !flatten(names, 1).includes(name)) : null,
  MERGE: (...args) => Object.assign({}, ...flatten(args, 1).filter(isObject)) as unknown,
  ZIP: (names, values) =>
    Object.fromEntries((list(names) ?? []).map((name, i) => [toText(name), list(values)?.[i] ?? null])),
  PARSE_IDENTIFIER: (value) => {
    const id = toText(isObject(value) ? attribute(value, '_id') : value);
    const slash = id.indexOf('/');
    return slash < 0 ? null : { collection: id.slice(0, slash), key: id.slice(slash + 1) };
  },
  PARSE_KEY: (value) => toText(isObject(value) ? attribute(value, '_id') : value).split('/')[1] ?? null,
};

/** The function of that (upper-case) name; 501 when it is not one of the subset. */
export function aqlFunction(name: string): AqlFunction {
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (!found) throw unsupported(`function ${name}()`);
  return found;
}

function average(values: number[] | undefined): number | null {
  if (!values || values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function pick(value: Record<string, unknown>, keep: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => keep(name)));
}
