import type { LoadFigures } from '../fleet/request-load';

export interface UpgradeFigures {
  /** The commit whose fleet was replaced. */
  readonly from: string;
  /** Names of the processes, in turn. */
  readonly replaced: readonly string[];
  readonly load: LoadFigures;
  /** Requests a second that were meant to be sent. */
  readonly offered: number;
  readonly imports: number;
  /** Messages in dead queues and records in dead-letter topics. */
  readonly dead: number;
  /** Calls that the network refused because a limit was overstepped. */
  readonly refused: number;
  /** Figures of the summary that differ from the graph's own, states and gaps of imports, in words. */
  readonly differences: readonly string[];
}

export interface UpgradeVerdict extends UpgradeFigures {
  readonly passed: boolean;
  readonly misses: readonly string[];
}

/** What of the bar is missed, in words. */
export function missesOf(figures: UpgradeFigures): string[] {
  const { replaced, load, offered, imports, dead, refused, differences } = figures;
  const found = [...differences];
  if (replaced.length === 0) found.push('nothing was replaced');
  for (const [what, count] of Object.entries(load.failed)) found.push(`${count} requests failed: ${what}`);
  if (load.perSecond < 0.95 * offered)
    found.push(
      `${load.perSecond.toFixed(0)} requests a second were answered, ${offered.toFixed(0)} were meant to be`,
    );
  if (imports === 0) found.push('no import ended');
  if (dead > 0) found.push(`${dead} dead letters`);
  if (refused > 0) found.push(`${refused} calls were refused by the limit`);
  return found;
}

export function reportUpgrade({ from, replaced, load, imports, dead, misses }: UpgradeVerdict): string {
  return [
    `\nfrom ${from}: ${replaced.length} processes replaced, one after the other`,
    `${load.sent} requests sent, ${load.sent - load.succeeded} failed, p50 ${load.p50Ms.toFixed(0)} ms, p99 ${load.p99Ms.toFixed(0)} ms`,
    `${imports} imports under way or begun meanwhile, ${dead} dead letters`,
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}
