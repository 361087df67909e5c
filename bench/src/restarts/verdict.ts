import type { LoadFigures } from '../fleet/request-load';

export const MOST_EXIT_MS = 5_000;

export interface Restart {
  readonly name: string;
  /** From SIGTERM until the process was gone. */
  readonly exitMs: number;
  /** From its new start until it was ready; undefined: it was not within the time. */
  readonly readyMs: number | undefined;
}

export interface RestartFigures {
  readonly restarts: readonly Restart[];
  readonly load: LoadFigures;
  /** Requests a second that were meant to be sent. */
  readonly offered: number;
  /** How often the broker gave a call out again. */
  readonly redelivered: number;
  /** Processes that did not end with code 0, as the supervisor saw it. */
  readonly unclean: readonly string[];
  /** Figures of the summary that differ from the graph's own, states and gaps of imports, in words. */
  readonly differences: readonly string[];
}

/** What of the bar is missed, in words. */
export function missesOf(figures: RestartFigures): string[] {
  const { restarts, load, offered, redelivered, unclean, differences } = figures;
  const found = [...differences];
  for (const [what, count] of Object.entries(load.failed)) found.push(`${count} requests failed: ${what}`);
  if (load.perSecond < 0.95 * offered)
    found.push(
      `${load.perSecond.toFixed(0)} requests a second were answered, ${offered.toFixed(0)} were meant to be`,
    );
  for (const { name, exitMs, readyMs } of restarts) {
    if (exitMs > MOST_EXIT_MS) found.push(`${name} was gone after ${(exitMs / 1000).toFixed(1)} s`);
    if (readyMs === undefined) found.push(`${name} was not ready again`);
  }
  if (redelivered > 0) found.push(`${redelivered} calls were given out again`);
  for (const how of unclean) found.push(how);
  return found;
}

/** Lines of the supervisor's log about processes that ended by another way than exit code 0, after so many bytes of it. */
export function uncleanEnds(log: string): string[] {
  return log.split('\n').flatMap((line) => {
    try {
      const { msg, name, how } = JSON.parse(line) as { msg?: string; name?: string; how?: string };
      return msg === 'Process ended and is restarted' && how !== 'exit code 0'
        ? [`${name} ended by ${how}`]
        : [];
    } catch {
      return [];
    }
  });
}
