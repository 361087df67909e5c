import type { LongLimit } from '../domain/limits';
import { ArrivalBudgets } from './arrival-budgets';
import { ArrivalWindows, type Counting } from './arrival-windows';
import type { World } from './world';

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
  tokenVersion: number;
  methods: readonly string[];
  lease: string;
  /** The address it comes from. */
  egress: string;
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

const SECOND = 1_000_000;
/** So long after its jitter grew the path is taken to be learned again. */
const LEARNING = 10 * SECOND;
/** 0.5 % of the calls of one minute are five for five keys; in one run chance may have it worse. */
const MOST_REFUSED = 12;
const ANOTHER_ADDRESS = 'User authorization failed: access_token was given to another ip address.';

/** A network that counts strictly and knows more than the pool: which tokens are good, who else uses them. */
export class Provider {
  /** `key version`: tokens that are refused. */
  readonly #deadTokens = new Set<string>();
  /** `key version`: tokens that were answered 5 or 401, for whatever reason. */
  readonly #blamed = new Set<string>();
  /** `key method`. */
  readonly refusedMethods = new Set<string>();
  /** `key address`: a token that is bound to one is refused from the others. */
  readonly boundTo = new Map<string, string>();
  storm: { answers: Answer[]; share: number; keys: Set<string> | undefined } | undefined;
  accepted = 0;
  frozen = 0;
  /** Calls that met in one window while a path that had become worse was being learned. */
  refusedLearning = 0;
  /** Refusals that no call of ours explains: other programs, storms, processes that stood still. */
  causeless = 0;
  pathChanges = 0;
  readonly path: PathShape;
  readonly #world: World;
  readonly #phase: number;
  readonly #windows: ArrivalWindows;
  readonly #budgets = new ArrivalBudgets();
  #egressQuota: number | undefined;
  #learningUntil = 0;

  constructor(world: World, counting: Counting, path: PathShape) {
    this.#world = world;
    this.path = { ...path };
    this.#phase = Math.floor(world.chance.between(0, SECOND));
    this.#windows = new ArrivalWindows(counting, this.#phase);
  }

  setQuota(bucket: string, quota: number): void {
    this.#windows.setQuota(bucket, quota, this.#world.time.micros);
  }

  setBudgets(bucket: string, limits: readonly LongLimit[]): void {
    this.#budgets.set(bucket, limits);
  }

  /** Calls in a window from one address, all keys together. */
  limitAddresses(quota: number, addresses: readonly string[]): void {
    this.#egressQuota = quota;
    for (const address of addresses) this.setQuota(`from ${address}`, quota);
  }

  /** From now on the delays of calls differ by up to this much (us). */
  changeJitter(jitter: number): void {
    if (jitter > this.path.jitter) {
      this.#learningUntil = this.#world.time.micros + LEARNING;
      this.pathChanges += 1;
    }
    this.path.jitter = jitter;
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

  kill(keyId: string, tokenVersion: number): void {
    this.#deadTokens.add(`${keyId} ${tokenVersion}`);
  }

  isDead(keyId: string, tokenVersion: number): boolean {
    return this.#deadTokens.has(`${keyId} ${tokenVersion}`);
  }

  /** Did any call with this token, or a newer one of the key, hear that it is not good? */
  blamedSince(keyId: string, tokenVersion: number): boolean {
    return [...this.#blamed].some((name) => {
      const [blamed, version] = name.split(' ');
      return blamed === keyId && Number(version) >= tokenVersion;
    });
  }

  /** Somebody else's call with this key. */
  foreign(bucket: string): void {
    // Windows that begin with the first call begin with one of ours.
    if (!this.#windows.hasBegun(bucket)) return;
    this.causeless += 1;
    this.#windows.admits(bucket, this.#world.time.micros);
  }

  arrive(call: ProviderCall): Answer {
    const { bucket, keyId, egress } = call;
    const now = this.#world.time.micros;
    this.#windows.begin(bucket, now);
    if (call.frozen) {
      this.frozen += 1;
      this.causeless += 1;
    } else this.#judge(call, now);
    const admitted = this.#windows.admits(bucket, now);
    if (!this.#admitsAddress(egress, now) || !admitted) return { status: 200, code: 6 };
    this.accepted += 1;
    const answer = this.#answer(call);
    const isBlamed = answer.status === 401 || (answer.code === 5 && answer.text !== ANOTHER_ADDRESS);
    if (isBlamed) this.#blamed.add(`${keyId} ${call.tokenVersion}`);
    return answer;
  }

  #answer({ keyId, tokenVersion, egress, methods, lease }: ProviderCall): Answer {
    const { storm } = this;
    const { chance } = this.#world;
    if (this.isDead(keyId, tokenVersion))
      return { status: 200, code: 5, text: 'User authorization failed: invalid access_token.' };
    if ((this.boundTo.get(keyId) ?? egress) !== egress)
      return { status: 200, code: 5, text: ANOTHER_ADDRESS };
    if (methods.some((method) => this.refusedMethods.has(`${keyId} ${method}`)))
      return { status: 200, code: 15, text: 'Access denied: no access to call this method' };
    if (storm === undefined || !(storm.keys?.has(keyId) ?? true) || !chance.flip(storm.share))
      return { status: 200 };
    this.#world.note('storm answers', keyId, lease);
    const answer = chance.pick(storm.answers);
    if (answer.code === 6 || answer.status === 429) this.causeless += 1;
    return answer;
  }

  #admitsAddress(egress: string, now: number): boolean {
    if (this.#egressQuota === undefined) return true;
    this.#windows.begin(`from ${egress}`, now);
    return this.#windows.admits(`from ${egress}`, now);
  }

  #overstepOfAddress(egress: string, lease: string, now: number): string | undefined {
    if (this.#egressQuota === undefined) return undefined;
    this.#windows.begin(`from ${egress}`, now);
    return this.#windows.overstep(`from ${egress}`, lease, now);
  }

  /** What the pool promised: no window of a key or an address, and no budget, ever holds more of ours than it may. */
  #judge({ bucket, methods, lease, egress }: ProviderCall, now: number): void {
    const spent = this.#budgets.overstep(bucket, methods, now);
    if (spent !== undefined) this.#world.broken('budget-overstep', `${spent}; lease ${lease}`);
    const ofAddress = this.#overstepOfAddress(egress, lease, now);
    const overstep = this.#windows.overstep(bucket, lease, now) ?? ofAddress;
    if (overstep === undefined) return;
    if (now > this.#learningUntil) {
      this.#world.broken('overstep', overstep);
      return;
    }
    this.refusedLearning += 1;
    this.#world.note('overstep while the path is learned', overstep);
    if (this.refusedLearning > MOST_REFUSED * this.pathChanges)
      this.#world.broken('refused-while-learning', `${this.refusedLearning} in ${this.pathChanges} changes`);
  }
}
