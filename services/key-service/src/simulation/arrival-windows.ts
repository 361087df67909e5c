/** How the provider counts; exact, at the moment of arrival. */
export type Counting = 'sliding' | 'fixed-clock' | 'fixed-first-call';

interface Bucket {
  quota: number;
  /** Figures that were in force a while ago count until what was granted under them is over. */
  formerly: { quota: number; until: number }[];
  /** Arrivals of ours that count, microseconds, with what they were granted by. */
  arrivals: number[];
  leases: string[];
  /** All arrivals in sight, foreign ones too: what the provider itself decides by. */
  seen: number[];
  /** Arrival of the first call that was ever made, NaN before. */
  begun: number;
}

const SECOND = 1_000_000;
/** Grants of before a change of the quota are over after this. */
const CHANGE = 4 * SECOND;
const KEPT = 200;

/** The provider's windows of one second: of keys, and of addresses. Times are microseconds. */
export class ArrivalWindows {
  readonly #counting: Counting;
  readonly #phase: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(counting: Counting, phase: number) {
    this.#counting = counting;
    this.#phase = phase;
  }

  setQuota(name: string, quota: number, now: number): void {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      const empty = { formerly: [], arrivals: [], leases: [], seen: [] };
      this.#buckets.set(name, { quota, begun: NaN, ...empty });
      return;
    }
    if (bucket.quota === quota) return;
    bucket.formerly.push({ quota: bucket.quota, until: now + CHANGE });
    bucket.quota = quota;
  }

  /** A window that begins with the first call begins now, if none came before. */
  begin(name: string, now: number): void {
    const bucket = this.#of(name);
    if (Number.isNaN(bucket.begun)) bucket.begun = now;
  }

  hasBegun(name: string): boolean {
    return !Number.isNaN(this.#of(name).begun);
  }

  /** Ours alone, against the figure of this moment or one that what is under way was granted for; why it is too much. */
  overstep(name: string, lease: string, now: number): string | undefined {
    const bucket = this.#of(name);
    bucket.formerly = bucket.formerly.filter(({ until }) => until > now);
    const quota = Math.max(bucket.quota, ...bucket.formerly.map((former) => former.quota));
    bucket.arrivals.push(now);
    bucket.leases.push(lease);
    const inWindow = this.#inWindow(bucket, now, bucket.arrivals);
    if (inWindow > quota) {
      const times = bucket.arrivals.slice(-quota - 1).map((at) => ((at - now) / 1000).toFixed(3));
      const leases = bucket.leases.slice(-quota - 1).join(' ');
      return `${name}: ${inWindow} calls in one window of ${quota}; ms before the last: ${times.join(' ')}; leases ${leases}`;
    }
    if (bucket.arrivals.length > KEPT) {
      bucket.arrivals.splice(0, KEPT / 2);
      bucket.leases.splice(0, KEPT / 2);
    }
    return undefined;
  }

  /** What the provider answers by: false when this call, whoever made it, is one too many. */
  admits(name: string, now: number): boolean {
    const bucket = this.#of(name);
    bucket.seen.push(now);
    if (bucket.seen.length > KEPT) bucket.seen.splice(0, KEPT / 2);
    return this.#inWindow(bucket, now, bucket.seen) <= bucket.quota;
  }

  #of(name: string): Bucket {
    return this.#buckets.get(name) as Bucket;
  }

  /** Calls in the window that the newest of `times` falls into. */
  #inWindow(bucket: Bucket, now: number, times: number[]): number {
    let from = now - SECOND + 1;
    if (this.#counting === 'fixed-clock')
      from = Math.floor((now + this.#phase) / SECOND) * SECOND - this.#phase;
    if (this.#counting === 'fixed-first-call')
      from = bucket.begun + Math.floor((now - bucket.begun) / SECOND) * SECOND;
    let count = 0;
    for (let index = times.length - 1; index >= 0 && (times[index] as number) >= from; index -= 1) count += 1;
    return count;
  }
}
