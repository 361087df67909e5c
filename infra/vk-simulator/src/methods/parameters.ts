import { apiErrors } from '../api-error';

type Parameters = ReadonlyMap<string, string>;

/** A whole number, or undefined when the parameter is missing or empty. */
export function integerParameter(parameters: Parameters, name: string): number | undefined {
  const text = parameters.get(name)?.trim();
  if (text === undefined || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw apiErrors.notInteger(name);
  return Number(text);
}

/** A whole number of at least 0, cut down to `most`: VK's answer to larger pages is not documented (assumption). */
export function sizeParameter(parameters: Parameters, name: string, usual: number, most: number): number {
  const value = integerParameter(parameters, name) ?? usual;
  if (value < 0) throw apiErrors.notPositive(name);
  return Math.min(value, most);
}

export function offsetParameter(parameters: Parameters): number {
  return sizeParameter(parameters, 'offset', 0, Number.MAX_SAFE_INTEGER);
}

/** The items of a comma separated list, without blanks around them and without empty ones. */
export function listParameter(parameters: Parameters, name: string): string[] {
  return (parameters.get(name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** A switch: 1 is on, 0 or nothing is off, anything else no whole number is refused. */
export function flagParameter(parameters: Parameters, name: string): boolean {
  return (integerParameter(parameters, name) ?? 0) !== 0;
}

/** One of a few words, or undefined when missing or empty. */
export function choiceParameter<T extends string>(
  parameters: Parameters,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const [word] = choicesParameter(parameters, name, allowed, 1);
  return word;
}

export function choicesParameter<T extends string>(
  parameters: Parameters,
  name: string,
  allowed: readonly T[],
  most = allowed.length,
): T[] {
  const words = listParameter(parameters, name);
  if (words.length > most || words.some((word) => !allowed.includes(word as T))) {
    throw apiErrors.invalid(name);
  }
  return words as T[];
}

export function fieldsParameter(parameters: Parameters): Set<string> {
  return new Set(listParameter(parameters, 'fields'));
}
