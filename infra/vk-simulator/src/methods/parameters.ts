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

/** The items of a comma separated list, without blanks around them and without empty ones. */
export function listParameter(parameters: Parameters, name: string): string[] {
  return (parameters.get(name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
