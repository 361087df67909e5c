import { ScriptError } from './script-error';
import { toNumber, toParameter } from './values';
import type { Value } from './values';

type ArrayMethod = (array: Value[], given: Value[]) => Value;
type StringMethod = (text: string, given: Value[]) => Value;

const integer = (value: Value | undefined): number => Math.trunc(toNumber(value ?? null));

const ON_ARRAYS: Record<string, ArrayMethod> = {
  push: (array, given) => array.push(...given),
  pop: (array) => array.pop() ?? null,
  shift: (array) => array.shift() ?? null,
  unshift: (array, given) => array.unshift(...given),
  slice: (array, given) => array.slice(integer(given[0]), given.length > 1 ? integer(given[1]) : undefined),
  splice: (array, given) =>
    given.length > 1
      ? array.splice(integer(given[0]), integer(given[1]), ...given.slice(2))
      : array.splice(integer(given[0])),
  indexOf: (array, given) => array.indexOf(given[0] ?? null),
};

const ON_STRINGS: Record<string, StringMethod> = {
  split: (text, given) => text.split(toParameter(given[0] ?? null) ?? ''),
  substr: (text, given) => {
    const from = integer(given[0]);
    const start = from < 0 ? Math.max(0, text.length + from) : from;
    return text.slice(start, given.length > 1 ? start + Math.max(0, integer(given[1])) : undefined);
  },
  indexOf: (text, given) => text.indexOf(toParameter(given[0] ?? null) ?? ''),
};

export function knowsMethod(name: string): boolean {
  return Object.hasOwn(ON_ARRAYS, name) || Object.hasOwn(ON_STRINGS, name);
}

/** Calls a method of an array or a string; on anything else it fails the way VK words it. */
export function callMethod(of: Value, name: string, given: Value[]): Value {
  if (Array.isArray(of)) {
    const method = Object.hasOwn(ON_ARRAYS, name) ? ON_ARRAYS[name] : undefined;
    if (method !== undefined) return method(of, given);
  } else if (typeof of === 'string') {
    const method = Object.hasOwn(ON_STRINGS, name) ? ON_STRINGS[name] : undefined;
    if (method !== undefined) return method(of, given);
  }
  throw new ScriptError(
    13,
    `Method ${name} requires ${Object.hasOwn(ON_ARRAYS, name) ? 'an array' : 'a string'}`,
  );
}
