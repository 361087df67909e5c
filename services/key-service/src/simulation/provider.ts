import type { World } from './world';

/** How the provider counts; exact, at the moment of arrival. */
export type Counting = 'sliding' | 'fixed-clock' | 'fixed-first-call';

export interface PathShape {
  /** One way, microseconds: never shorter. */
  base: number;
  /** On top of it, up to this much. */
  jitter: number;
  /** Uniform, or either of the two ends. */
  ends: boolean;
}

export interface ProviderCall {
  bucket: string;
  keyId: string;
  method: string;
  lease: string;
  /** Proven by the worker's own stamps: it stood still between check and wire. */
  frozen: boolean;
}

export interface Answer {
  status: number;
  code?: number;
  text?: string;
  retryAfterMs?: number;
  /** The error is inside a packed call. */
  inner?: boolean;
}

interface Bucket {
  quota: number;
  /** Figures that were in force a while ago count until what was granted under them is over. */
  formerly: { quota: number; until: number }[];
  /** Arrivals of ours that count, microseconds. */
  arrivals: number[];
  /** All arrivals in sight, foreign ones too: what the provider itself decides by. */
  seen: number[];
  /** Arrival of the first call that was ever made, NaN before. */
  begun: number;
  calls: string[];
}

const SECOND = 1_000_000;
/** Grants of before a change of the quota are over after this. */
const CHANGE = 4 * SECOND;

/** A network that counts strictly and knows more than the pool: which keys are good, who else uses them. */
export class Provider {
  readonly dead = new Set<string>();
  /** `key method`. */
  readonly refusedMethods = new Set<string>();
  storm: { answers: Answer[]; share: number; keys: Set<string> | undefined } | undefined;
  accepted = 0;
  frozen = 0;
  readonly #world: World;
  readonly #counting: Counting;
  readonly #phase: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    world: World,
    counting: Counting,
    readonly path: PathShape,
  ) {
    this.#world = world;
    this.#counting = counting;
    this.#phase = Math.floor(world.chance.between(0, SECOND));
  }

  setQuota(name: string, quota: number): void {
    const { micros } = this.#world.time;
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      this.#buckets.set(name, { quota, formerly: [], arrivals: [], seen: [], begun: NaN, calls: [] });
      return;
    }
    bucket.formerly.push({ quota: bucket.quota, until: micros + CHANGE });
    bucket.quota = quota;
  }

  /** One way over the path, microseconds. */
  delay(): number {
    const { chance } = this.#world;
    const { base, jitter, ends } = this.path;
    return base + (ends ? (chance.flip(0.5) ? jitter : 0) : chance.between(0, jitter));
  }

  /** Its clock as `Date` headers have it: whole seconds, ms. */
  date(): number {
    return Math.floor((this.#world.time.micros + this.#phase) / SECOND) * 1000;
  }

  /** Somebody else's call with this key. */
  foreign(name: string): void {
    const bucket = this.#buckets.get(name);
    // Windows that begin with the first call begin with one of ours.
    if (bucket !== undefined && !Number.isNaN(bucket.begun)) this.#decide(bucket);
  }

  arrive(call: ProviderCall): Answer {
    const { time, chance } = this.#world;
    const bucket = this.#buckets.get(call.bucket) as Bucket;
    if (Number.isNaN(bucket.begun)) bucket.begun = time.micros;
    if (call.frozen) this.frozen += 1;
    else this.#judge(bucket, call);
    if (!this.#decide(bucket)) return { status: 200, code: 6 };
    this.accepted += 1;
    if (this.dead.has(call.keyId)) return { status: 200, code: 5, text: 'User authorization failed' };
    if (this.refusedMethods.has(`${call.keyId} ${call.method}`))
      return { status: 200, code: 15, text: 'Access denied: no access to call this method' };
    const { storm } = this;
    if (storm !== undefined && (storm.keys?.has(call.keyId) ?? true) && chance.flip(storm.share)) {
      this.#world.note('storm answers', call.keyId, call.lease, time.micros);
      return chance.pick(storm.answers);
    }
    return { status: 200 };
  }

  /** Ours alone, against the figure of this moment or one that what is under way was granted for. */
  #judge(bucket: Bucket, call: ProviderCall): void {
    const now = this.#world.time.micros;
    bucket.formerly = bucket.formerly.filter(({ until }) => until > now);
    const quota = Math.max(bucket.quota, ...bucket.formerly.map((former) => former.quota));
    bucket.arrivals.push(now);
    bucket.calls.push(call.lease);
    const inWindow = this.#inWindow(bucket, now, bucket.arrivals);
    if (inWindow > quota) {
      const times = bucket.arrivals.slice(-quota - 1).map((at) => ((at - now) / 1000).toFixed(3));
      this.#world.broken(
        'overstep',
        `${call.bucket}: ${inWindow} calls in one window of ${quota}; ms before the last: ${times.join(' ')}; leases ${bucket.calls.slice(-quota - 1).join(' ')}`,
      );
    }
    if (bucket.arrivals.length > 200) {
      bucket.arrivals.splice(0, 100);
      bucket.calls.splice(0, 100);
    }
  }

  #decide(bucket: Bucket): boolean {
    const now = this.#world.time.micros;
    bucket.seen.push(now);
    if (bucket.seen.length > 200) bucket.seen.splice(0, 100);
    return this.#inWindow(bucket, now, bucket.seen) <= bucket.quota;
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
