import { ScriptError } from './script-error';

/** Objects are Maps: a script may then use any field name, `__proto__` too, without touching the host. */
export type Value = string | number | boolean | null | Value[] | Map<string, Value>;

const LONGEST = 5 * 1024 * 1024;
const DEEPEST = 500;
/** Of an answer of that length: an entry and its comma are two characters at least. */
const MOST_NODES = LONGEST / 2;

/** `json` must be the caller's own: lists of plain values are taken over, not copied. */
export function fromJson(json: unknown): Value {
  if (json === null || json === undefined) return null;
  if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json;
  if (Array.isArray(json)) return isPlain(json) ? json : json.map(fromJson);
  return new Map(Object.entries(json as object).map(([name, value]) => [name, fromJson(value)]));
}

/** Friend lists are thousands of numbers each, 25 to a call: copying them twice was most of the garbage. */
function isPlain(list: unknown[]): list is Array<string | number | boolean | null> {
  return list.every((item) => item === null || typeof item !== 'object');
}

/** For JSON.stringify; a Map becomes an object without prototype. */
export function toJson(value: Value): unknown {
  insistOnSize(value);
  return converted(value);
}

function converted(value: Value): unknown {
  if (Array.isArray(value)) return isPlain(value) ? value : value.map(converted);
  if (!(value instanceof Map)) return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [name, inner] of value) object[name] = converted(inner);
  return object;
}

/** How a value is sent as a request parameter; undefined = the parameter is left out. */
export function toParameter(value: Value): string | undefined {
  insistOnSize(value);
  return joined(value);
}

function joined(value: Value): string | undefined {
  if (value === null || value instanceof Map) return undefined;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (Array.isArray(value)) return value.map((item) => joined(item) ?? '').join(',');
  return String(value);
}

/** A list may hold itself, or one list a million times: such a value is what a too large answer is. */
function insistOnSize(value: Value): void {
  if (sizeOf(value, new Map<Value, number>(), 0) > MOST_NODES) throw tooBig();
}

/** Entries of the value as it would be written; `known` sees to it that a list in many places is walked once. */
function sizeOf(value: Value, known: Map<Value, number>, level: number): number {
  if (value === null || typeof value !== 'object') return 1;
  const before = known.get(value);
  if (before !== undefined) return before;
  if (level > DEEPEST) throw tooBig();
  let size = 1;
  if (Array.isArray(value) && isPlain(value)) size += value.length;
  else for (const inner of value.values()) size += sizeOf(inner, known, level + 1);
  known.set(value, size);
  return size;
}

const tooBig = (): ScriptError => new ScriptError(13, 'response size is too big');

/** false, null, 0 and the empty string are false; arrays and objects are true even when empty. */
export function isTrue(value: Value): boolean {
  return value !== false && value !== null && value !== 0 && value !== '';
}

export function binary(operator: string, left: Value, right: Value): Value {
  switch (operator) {
    case '+':
      return add(left, right);
    case '-':
      return toNumber(left) - toNumber(right);
    case '*':
      return toNumber(left) * toNumber(right);
    case '/':
    case '%': {
      const divisor = toNumber(right);
      if (divisor === 0) throw new ScriptError(13, 'Division by zero');
      return operator === '/' ? toNumber(left) / divisor : toNumber(left) % divisor;
    }
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    default:
      return ordered(operator, left, right);
  }
}

function add(left: Value, right: Value): Value {
  if (Array.isArray(left) && Array.isArray(right)) return limited(left.concat(right));
  if (typeof left === 'string' || typeof right === 'string') return limited(text(left) + text(right));
  return toNumber(left) + toNumber(right);
}

/** `s = s + s` in a loop would fill the memory long before the limit of operations stops it. */
function limited<T extends string | Value[]>(value: T): T {
  if (value.length > LONGEST) throw new ScriptError(13, 'response size is too big');
  return value;
}

function text(value: Value): string {
  return value === null ? '' : (toParameter(value) ?? '');
}

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (value === null) return 0;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') {
    const number = Number(value.trim());
    return Number.isNaN(number) ? 0 : number;
  }
  throw new ScriptError(13, 'Arithmetic with an array or an object');
}

function equal(left: Value, right: Value): boolean {
  if (left === null || right === null) return left === right;
  if (typeof left === 'object' || typeof right === 'object') {
    if (typeof left === 'boolean' || typeof right === 'boolean') return false;
    throw new ScriptError(13, 'Comparing values of different or unsupported types');
  }
  if (typeof left === typeof right) return left === right;
  return toNumber(left) === toNumber(right);
}

function ordered(operator: string, left: Value, right: Value): boolean {
  const comparable = (value: Value): boolean => typeof value === 'number' || typeof value === 'string';
  if (!comparable(left) || !comparable(right)) {
    throw new ScriptError(13, 'Comparing values of different or unsupported types');
  }
  const bothText = typeof left === 'string' && typeof right === 'string';
  const a = bothText ? left : toNumber(left);
  const b = bothText ? right : toNumber(right);
  if (operator === '<') return a < b;
  if (operator === '>') return a > b;
  return operator === '<=' ? a <= b : a >= b;
}
