export const MOST_HEAP_GROWTH = 0.05;
export const MOST_RESIDENT_GROWTH = 0.1;

/** What a process holds after its heap was collected; bytes. */
export interface Memory {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** A figure that must stay flat, one value for every look. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
  /** What it may rise by in any case: work under way. */
  readonly slack: number;
}

const MOST_RISE = 0.05;

/** The least of several readings: what is under way at the moment of one is not held. */
export function leastOf(readings: readonly Memory[]): Memory {
  return {
    heapBytes: Math.min(...readings.map(({ heapBytes }) => heapBytes)),
    residentBytes: Math.min(...readings.map(({ residentBytes }) => residentBytes)),
  };
}

/** Growth as a share of what was there before: 0.05 is 5 % more. */
export function growthOf(first: Memory, last: Memory): { heap: number; resident: number } {
  return {
    heap: last.heapBytes / first.heapBytes - 1,
    resident: last.residentBytes / first.residentBytes - 1,
  };
}

/** Medians of the first and the last third: single peaks say nothing about a trend. */
export function trendOf({ values }: Series): { first: number; last: number } {
  const third = Math.max(1, Math.floor(values.length / 3));
  return { first: median(values.slice(0, third)), last: median(values.slice(-third)) };
}

/** True when the last third lies at most a twentieth, or its slack, above the first. */
export function isFlat(series: Series): boolean {
  const { first, last } = trendOf(series);
  return last <= first + Math.max(series.slack, MOST_RISE * first);
}

export interface SoakFigures {
  readonly processes: readonly {
    readonly name: string;
    readonly first: Memory;
    readonly last: Memory | undefined;
  }[];
  readonly series: readonly Series[];
  readonly failed: Readonly<Record<string, number>>;
  readonly imports: { readonly ended: number; readonly faults: readonly string[] };
  /** Requests a second: meant, and answered. */
  readonly offered: number;
  readonly answered: number;
}

/** What of the bar is missed, in words. */
export function missesOf(figures: SoakFigures): string[] {
  const found: string[] = [];
  for (const { name, first, last } of figures.processes) {
    if (last === undefined) {
      found.push(`${name} was started again meanwhile`);
      continue;
    }
    const { heap, resident } = growthOf(first, last);
    if (last.heapBytes > first.heapBytes * (1 + MOST_HEAP_GROWTH))
      found.push(`the heap of ${name} grew by ${percent(heap)}`);
    if (last.residentBytes > first.residentBytes * (1 + MOST_RESIDENT_GROWTH))
      found.push(`the resident memory of ${name} grew by ${percent(resident)}`);
  }
  for (const series of figures.series) {
    if (isFlat(series)) continue;
    const { first, last } = trendOf(series);
    found.push(`${series.name} rose from ${first} to ${last}`);
  }
  for (const [what, count] of Object.entries(figures.failed)) found.push(`${count} requests failed: ${what}`);
  if (figures.answered < 0.95 * figures.offered)
    found.push(
      `${figures.answered.toFixed(0)} requests a second were answered, ${figures.offered.toFixed(0)} were meant to be`,
    );
  if (figures.imports.ended === 0) found.push('no import ended');
  return [...found, ...figures.imports.faults];
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}
