import type { PathMeasured } from './lease-client';
import type { PathSample } from './path-probe';

export interface PathReportsOptions {
  network: string;
  /** Resolves to the margin in force; rejects when the pool is away. */
  report: (measured: PathMeasured) => Promise<number>;
  monotonicMs: () => number;
  /** Goes up whenever the pool's clock turned out to be another one. */
  clockGeneration: () => number;
  onMargin?: ((marginMs: number) => void) | undefined;
}

interface Range {
  min: number;
  max: number;
}

/** The pool learns at once of a round trip that lies further than this outside of the ones before (ms). */
const NEWS_MS = 2;
/** Round trips of the last one or two of these are "the ones before". */
const RANGE_MS = 30_000;
const EVERY_MS = 1_000;
/** The contract's limit for one report. */
const MOST_PROBES = 50;
/** What is told at once must not pile up while the pool is slow. */
const MOST_UNDER_WAY = 3;

/**
 * Collects what is measured of one network's path and tells the pool: once a second, at once when a round trip says
 * something new. What could not be told goes with the next report.
 */
export class PathReports {
  readonly #options: PathReportsOptions;
  /** With the generation of the pool's clock by which it was stamped. */
  #probes: (PathSample & { generation: number })[] = [];
  #sends = { count: 0, sumMs: 0, maxMs: 0 };
  #range: { since: number; now: Range; before: Range } = { since: -Infinity, now: NOTHING, before: NOTHING };
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PathReportsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      if (this.#underWay === 0) void this.flush();
    }, EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  probe(sample: PathSample): void {
    this.#probes.push({ ...sample, generation: this.#options.clockGeneration() });
    if (this.#probes.length > MOST_PROBES) this.#probes.shift();
    if (this.#isNews(sample.roundTripMs) && this.#underWay < MOST_UNDER_WAY) void this.flush();
  }

  /** A call left so long after its slot began. */
  sent(latenessMs: number): void {
    const late = Math.max(0, latenessMs);
    const { count, sumMs, maxMs } = this.#sends;
    this.#sends = { count: count + 1, sumMs: sumMs + late, maxMs: Math.max(maxMs, late) };
  }

  /** Tells what there is to tell; never rejects. */
  async flush(): Promise<void> {
    const probes = this.#probes;
    const sends = this.#sends;
    if (probes.length === 0 && sends.count === 0) return;
    this.#probes = [];
    this.#sends = { count: 0, sumMs: 0, maxMs: 0 };
    this.#underWay += 1;
    const { network, report, onMargin } = this.#options;
    const { count, sumMs, maxMs } = sends;
    try {
      const lateness = { sends: count, meanMs: sumMs / count, maxMs };
      const told = probes.map((probe) => this.#toTell(probe));
      const marginMs = await report({ network, probes: told, ...(count > 0 && { lateness }) });
      onMargin?.(marginMs);
    } catch {
      // The pool is away, which shows where a lease is asked for; what was measured is told with the next report.
      this.#probes = [...probes, ...this.#probes].slice(-MOST_PROBES);
      const since = this.#sends;
      this.#sends = {
        count: count + since.count,
        sumMs: sumMs + since.sumMs,
        maxMs: Math.max(maxMs, since.maxMs),
      };
    } finally {
      this.#underWay -= 1;
    }
  }

  /**
   * What was stamped by a clock of the pool that was set since still tells how long a round trip takes; when that was
   * on the network's clock it does not tell any more.
   */
  #toTell({ generation, serverDate, ...trip }: PathSample & { generation: number }): PathSample {
    const isOfThisClock = generation === this.#options.clockGeneration();
    return { ...trip, ...(isOfThisClock && serverDate !== undefined && { serverDate }) };
  }

  /** Also takes the round trip into the range. */
  #isNews(roundTripMs: number): boolean {
    const now = this.#options.monotonicMs();
    if (now - this.#range.since > RANGE_MS) {
      const before = now - this.#range.since > 2 * RANGE_MS ? NOTHING : this.#range.now;
      this.#range = { since: now, now: NOTHING, before };
    }
    const { now: recent, before } = this.#range;
    const min = Math.min(recent.min, before.min);
    const max = Math.max(recent.max, before.max);
    this.#range.now = {
      min: Math.min(recent.min, roundTripMs),
      max: Math.max(recent.max, roundTripMs),
    };
    return roundTripMs < min - NEWS_MS || roundTripMs > max + NEWS_MS;
  }
}

/** The range of no round trip at all: every one lies outside of it. */
const NOTHING: Range = { min: Infinity, max: -Infinity };
