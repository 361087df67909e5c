const HOUR_MS = 3_600_000;

export interface SpentLimit {
  /** `minute`, `hour`, `day` or `day:<method>`. */
  limit: string;
  calls: number;
  windowMs: number;
  spent: number;
  callsInLastHour: number;
}

export interface KeyForecast extends SpentLimit {
  left: number;
  /** At the pace of the last hour nothing is left from then on (Unix ms); null: not within the limit's window. */
  spentAt: number | null;
}

/**
 * When a limit is spent if the last hour goes on. Calls that leave the window meanwhile are not counted, so that it is
 * the earliest moment and not the latest.
 */
export function forecastOf(limit: SpentLimit, now: number): KeyForecast {
  const left = Math.max(0, limit.calls - limit.spent);
  if (left === 0) return { ...limit, left, spentAt: now };
  const inMs = Math.ceil((left * HOUR_MS) / limit.callsInLastHour);
  return { ...limit, left, spentAt: inMs <= limit.windowMs ? now + inMs : null };
}
