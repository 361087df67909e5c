import type { KeyLimits } from './key-settings';

/** A limit longer than a window. `name`: `minute`, `hour`, `day`, or `day:<method>`. */
export interface LongLimit {
  name: string;
  calls: number;
}

const MINUTE_MS = 60_000;
const SPANS: Readonly<Record<string, number>> = {
  minute: MINUTE_MS,
  hour: 60 * MINUTE_MS,
  day: 24 * 60 * MINUTE_MS,
};
const METHOD_OF_DAY = 'day:';
/** A block is this share of its limit, but not less than one packed call needs. */
const BLOCK_SHARE = 0.02;
const LEAST_BLOCK = 25;

/** The longer limits of a key: its own figures over those that its network declares. */
export function longLimitsOf(
  limits: KeyLimits,
  declared: Readonly<Record<string, number>> = {},
): LongLimit[] {
  const { perMinute, perHour, perDay, methodsPerDay } = limits;
  const whole = { minute: perMinute, hour: perHour, day: perDay };
  const found = Object.entries(whole).flatMap(([name, calls]) =>
    calls === undefined ? [] : [{ name, calls }],
  );
  const methods = Object.entries({ ...declared, ...methodsPerDay });
  return [...found, ...methods.map(([method, calls]) => ({ name: METHOD_OF_DAY + method, calls }))];
}

/** The rolling span in which a limit counts. */
export function spanOf(name: string): number {
  const spanMs = SPANS[name.split(':', 1)[0] as string];
  if (spanMs === undefined) throw new Error(`There is no limit named ${name}.`);
  return spanMs;
}

export function methodOf(name: string): string | undefined {
  return name.startsWith(METHOD_OF_DAY) ? name.slice(METHOD_OF_DAY.length) : undefined;
}

/** Calls that are booked at once: 2 %, at least 25, at least what is `missing` for one request, never above the limit. */
export function blockSize(calls: number, missing = 0): number {
  return Math.min(calls, Math.max(LEAST_BLOCK, Math.ceil(calls * BLOCK_SHARE), missing));
}
