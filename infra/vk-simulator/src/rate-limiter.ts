export type WindowKind = 'sliding' | 'fixed-clock' | 'fixed-first-call';

export interface RateLimiterOptions {
  window: WindowKind;
  windowMs: number;
  /** Whether a refused call takes a place in the window too. VK does not say (facts: an assumption). */
  refusedCount: boolean;
}

interface Bucket {
  /** Arrivals that take a place, oldest first; only those of the present window. */
  arrivals: number[];
  firstCall: number;
  windowStart: number;
}

/**
 * The per-second limit of one provider. Callers pass the moment of ARRIVAL and must pass arrivals in order; the
 * answer depends on nothing else, so a busy event loop delays a verdict but does not change it.
 * A call at `t` leaves a sliding window at `t + windowMs` exactly.
 */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly options: RateLimiterOptions) {}

  /** True when the call is within the limit; it then takes a place. `at`: milliseconds on the simulator's wall clock. */
  admit(bucketName: string, limit: number, at: number): boolean {
    let bucket = this.buckets.get(bucketName);
    if (bucket === undefined) {
      bucket = { arrivals: [], firstCall: at, windowStart: Number.NEGATIVE_INFINITY };
      this.buckets.set(bucketName, bucket);
    }
    this.forget(bucket, at);
    const admitted = bucket.arrivals.length < limit;
    if (admitted || this.options.refusedCount) bucket.arrivals.push(at);
    return admitted;
  }

  reset(): void {
    this.buckets.clear();
  }

  private forget(bucket: Bucket, at: number): void {
    const { window, windowMs } = this.options;
    if (window === 'sliding') {
      while (bucket.arrivals.length > 0 && at - (bucket.arrivals[0] as number) >= windowMs)
        bucket.arrivals.shift();
      return;
    }
    const origin = window === 'fixed-clock' ? 0 : bucket.firstCall;
    const start = origin + Math.floor((at - origin) / windowMs) * windowMs;
    if (start !== bucket.windowStart) {
      bucket.windowStart = start;
      bucket.arrivals = [];
    }
  }
}
