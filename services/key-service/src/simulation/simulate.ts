import type { KeyChange } from '@sociograph/lease-client';
import { rulesOf, withTiming, type NetworkRules } from '../domain/networks';
import type { KeyEvent, LedgerSettle, LedgerVerdict, QuotaLedger } from '../domain/ports';
import { InMemoryPoolEpochs } from '../infrastructure/in-memory';
import { Chance } from './chance';
import { drawFaults, type Stage } from './faults';
import { KeyOwner } from './key-owner';
import { KeyServiceProcess } from './key-service-process';
import { type Counting, Provider } from './provider';
import type { RedisPair } from './redis-pair';
import { SimulatedServer } from './simulated-redis';
import { VirtualTime } from './virtual-time';
import { LedgerWatch } from './watched-ledger';
import { SimulatedWorker } from './worker';
import { type Violation, World } from './world';

export interface SimulationOptions {
  seed: number;
  /** The text that Redis executes, its TIME line replaced. */
  lua: string;
  /** Called with each event; only the last ones are kept otherwise. */
  onEvent?: (line: string) => void;
}

export interface SimulationReport {
  seed: number;
  grants: number;
  sent: number;
  /** Calls of processes that stood still between check and wire, by their own stamps. */
  frozen: number;
  faults: string[];
  violations: Violation[];
  lastEvents: string[];
  counts: ReadonlyMap<string, number>;
  /** Virtual seconds. */
  seconds: number;
}

const SECOND = 1_000_000;
const GRANTS = 200;
const HEAD = { by: 'parser-service', session: 'after' };
const SATURATED = 3 * SECOND;
const fine = { kind: 'fine' as const, except: [] };
const METHODS = ['friends.get', 'users.get'];
const WORKERS = 3;
const SERVICES = 2;
const TOLERANCE_MS = 250;
/** No run of this length has work left to do. */
const TOO_LONG = 7 * 24 * 3600 * SECOND;

/** One run: five keys, three workers, two key-services, at least 200 grants and five faults; the same for the same seed. */
export async function simulate(redis: RedisPair, options: SimulationOptions): Promise<SimulationReport> {
  const [one, other] = redis.connections;
  const time = new VirtualTime({
    get busy(): boolean {
      return one.busy || other.busy;
    },
    async idle(): Promise<void> {
      await one.idle();
      await other.idle();
    },
  });
  const chance = new Chance(options.seed);
  const world = new World(time, chance, options.onEvent);
  const run = new Run(world, redis, options.lua);
  const faults = await run.play();
  return {
    seed: options.seed,
    grants: run.watch.grants,
    sent: world.counts.get('sent') ?? 0,
    frozen: run.provider.frozen,
    faults,
    violations: world.violations,
    lastEvents: world.lastEvents(),
    counts: world.counts,
    seconds: world.elapsed(),
  };
}

class Run {
  readonly watch: LedgerWatch;
  readonly provider: Provider;
  readonly #rules: NetworkRules;
  readonly #server: SimulatedServer;
  readonly #epochs = new InMemoryPoolEpochs();
  readonly #owner: KeyOwner;
  readonly #messages = { lost: 0, twice: 0 };
  readonly #quotas = new Map<string, number>();
  #services: KeyServiceProcess[] = [];
  #workers: SimulatedWorker[] = [];
  #started = 0;

  constructor(
    readonly world: World,
    redis: RedisPair,
    readonly lua: string,
  ) {
    const { chance } = world;
    const rules = rulesOf('vk') as NetworkRules;
    const counting = chance.pick<Counting>([
      'sliding',
      'sliding',
      'sliding',
      'fixed-clock',
      'fixed-first-call',
    ]);
    this.#rules = {
      ...withTiming(rules, { marginMs: rules.marginMs, slackMs: chance.pick([4, 10]) }),
      windowKind: counting === 'sliding' ? 'sliding' : 'fixed',
      windowAlignment: counting === 'fixed-first-call' ? 'first-call' : 'clock',
    };
    world.note('windows are', counting);
    // What is left of the margin when the clocks of two workers are as wrong as they may be.
    const clocks = 2 * (2 + 5);
    const jitter = Math.max(0, this.#rules.marginMs - this.#rules.slackMs - clocks) * 1000;
    this.provider = new Provider(world, counting, {
      base: chance.spread(200, 100_000),
      jitter: chance.flip(0.7) ? jitter : chance.between(0, jitter),
      ends: chance.flip(0.3),
    });
    this.#server = new SimulatedServer(world, redis);
    this.watch = new LedgerWatch(world, () => this.#server.micros());
    this.#owner = new KeyOwner(
      world,
      this.provider,
      () => this.#services,
      (change) => this.#fanout(change),
    );
    for (const [index, kind] of (['user', 'user', 'user', 'service', 'user'] as const).entries()) {
      const community = index === 2 && chance.flip(0.25);
      const id = `key-${index}`;
      const quota = community ? 20 : chance.flip(0.8) ? 3 : chance.whole(1, 3);
      this.#quotas.set(id, quota);
      this.#owner.add(id, index === 4 ? 'other' : 'demo', community ? 'community' : kind, quota);
    }
  }

  async play(): Promise<string[]> {
    const { world } = this;
    const { time, chance } = world;
    await this.#server.clean();
    for (let index = 0; index < SERVICES; index += 1) this.#startService();
    await time.runUntil(() => this.#services.length === SERVICES);
    for (let index = 0; index < WORKERS; index += 1) this.#startWorker();
    const planned = drawFaults(chance);
    for (const { at, name, run } of planned) {
      time.after(at, () => {
        world.note(`FAULT ${name}`);
        run(this.#stage());
      });
    }
    const faultsOver = time.micros + (planned.at(-1)?.at ?? 0) + 5 * SECOND;
    const enough = (): boolean =>
      (this.watch.grants >= GRANTS && time.micros > faultsOver) || world.elapsed() * SECOND > TOO_LONG;
    await time.runUntil(() => enough() || world.violations.length > 0);
    if (world.violations.length === 0) await this.#comeBack();
    if (world.violations.length === 0 && chance.flip(0.3)) await this.#saturate();
    for (const service of this.#services) service.kill();
    return planned.map(({ name }) => name);
  }

  /** Everything is well again: each key must be granted for each method within what its rests last at most. */
  async #comeBack(): Promise<void> {
    const { world, provider } = this;
    const { time } = world;
    world.note('ALL IS WELL');
    world.calm = true;
    provider.storm = undefined;
    this.#messages.lost = this.#messages.twice = 0;
    for (const service of this.#services) service.connection.losing = 0;
    for (const worker of this.#workers) worker.stop();
    await this.#until(70 * SECOND);
    for (const { id, state } of this.#owner.keys)
      if (state !== 'active' || provider.dead.has(id)) this.#owner.renew(id);
    await this.#until(10 * SECOND);
    provider.refusedMethods.clear();
    for (const method of METHODS) {
      const missing = new Set(
        this.#owner.keys
          .filter((key) => this.#mayCall(key.details.kind, method))
          .map(({ id }) => id as string),
      );
      const from = time.micros;
      let pause = SECOND;
      while (missing.size > 0 && world.violations.length === 0) {
        if (time.micros - from > 30 * 3600 * SECOND) {
          world.broken('key-does-not-return', `${[...missing].join()} for ${method}`);
          return;
        }
        await this.#grantAll(method, missing);
        pause = Math.min(2 * pause, 7200 * SECOND);
        await this.#until(pause);
      }
    }
  }

  #mayCall(kind: string, method: string): boolean {
    return (this.#rules.callers[method] ?? ['user']).some((caller) => caller === kind);
  }

  /** Nothing disturbs any more: every key is used as far as its windows allow, and a slot given back is granted again. */
  async #saturate(): Promise<void> {
    const { world } = this;
    const ledger = (this.#services[0] as KeyServiceProcess).ledger;
    const path = await this.#answer(ledger.learnedPath('vk').then((found) => ({ found })));
    const { windowMs, slackMs, marginMs } = this.#rules;
    const lengthMs = windowMs + slackMs + (path.found?.spreadMs ?? marginMs);
    await this.#until(3 * SECOND);
    const slots = new Map<string, number>(this.#owner.keys.map(({ id }) => [id, 0]));
    const given = { keyId: '', slot: Infinity, again: false };
    const from = world.time.micros;
    while (world.time.micros < from + SATURATED) {
      for (const workspaceId of ['demo', 'other']) {
        for (;;) {
          const { verdict, leaseId } = await this.#grant(ledger, workspaceId, 'users.get');
          if (verdict.kind === 'denied') break;
          const { keyId, fence } = verdict.grant;
          const slot = verdict.grant.slots[0] as number;
          if (given.keyId === keyId && slot <= given.slot) given.again = true;
          slots.set(keyId, (slots.get(keyId) ?? 0) + 1);
          if (given.keyId === '' && slot - verdict.poolNow > 100) {
            Object.assign(given, { keyId, slot });
            await this.#settle(ledger, [
              { leaseId, fence, workspaceId, reports: [{ slot: 0, outcome: 'unsent' as const }] },
            ]);
          }
        }
      }
      await this.#until(50_000);
    }
    if (given.keyId !== '' && !given.again) world.broken('slot-given-back-not-granted', given.keyId);
    for (const { id, details } of this.#owner.keys) {
      const least = Math.floor((SATURATED / 1000 / lengthMs) * details.limits.perSecond) - 2;
      if ((slots.get(id) ?? 0) < least)
        world.broken(
          'key-idles',
          `${id}: ${slots.get(id)} slots in ${SATURATED / SECOND} s, at least ${least} fit`,
        );
    }
  }

  /** Takes a slot of each key for this method and reports each call as good. */
  async #grantAll(method: string, missing: Set<string>): Promise<void> {
    const ledger = (this.#services[0] as KeyServiceProcess).ledger;
    const settles: LedgerSettle[] = [];
    let lastSlot = 0;
    for (const workspaceId of ['demo', 'other']) {
      const wanted = this.#owner.keys.filter(
        ({ id, details }) => missing.has(id) && details.workspaceId === workspaceId,
      );
      for (let tries = 0; tries < (wanted.length === 0 ? 0 : 8); tries += 1) {
        const { verdict, leaseId } = await this.#grant(ledger, workspaceId, method);
        if (verdict.kind === 'denied') break;
        const { keyId, fence, slots } = verdict.grant;
        missing.delete(keyId);
        const sentAt = slots[0] as number;
        lastSlot = Math.max(lastSlot, sentAt - verdict.poolNow);
        const reports = [
          { slot: 0, outcome: 'answered' as const, sentAt, answeredAt: sentAt + 90, effects: [fine] },
        ];
        settles.push({ leaseId, fence, workspaceId, reports });
        if (!wanted.some(({ id }) => missing.has(id))) break;
      }
    }
    await this.#until(lastSlot * 1000 + 100_000);
    if (settles.length > 0) await this.#settle(ledger, settles);
  }

  async #grant(
    ledger: QuotaLedger,
    workspaceId: string,
    method: string,
  ): Promise<{ verdict: LedgerVerdict; leaseId: string }> {
    this.#started += 1;
    const leaseId = `after-${this.#started}`;
    const rules = this.#rules;
    const verdict = await this.#answer(
      ledger.grant({
        ...HEAD,
        ...{ leaseId, workspaceId, rules, sequence: this.#started, first: true, importId: 'after', calls: 1 },
        kinds: rules.callers[method] ?? ['user'],
        methods: { [method]: 1 },
        deadlineAt: this.world.time.micros / 1000 + 3_600_000,
        egress: 'default',
      }),
    );
    return { verdict, leaseId };
  }

  async #settle(ledger: QuotaLedger, settles: LedgerSettle[]): Promise<void> {
    this.#started += 1;
    await this.#answer(ledger.settle({ ...HEAD, sequence: this.#started, rules: this.#rules, settles }));
  }

  async #answer<T>(asked: Promise<T>): Promise<T> {
    let answer: T | undefined;
    void asked.then((found) => (answer = found));
    this.world.time.woke();
    await this.world.time.runUntil(() => answer !== undefined);
    return answer as T;
  }

  async #until(inMicros: number): Promise<void> {
    const { time } = this.world;
    let over = false;
    time.after(inMicros, () => (over = true));
    await time.runUntil(() => over);
  }

  #stage(): Stage {
    const { world, provider, watch } = this;
    const { chance } = world;
    return {
      world,
      provider,
      watch,
      server: this.#server,
      owner: this.#owner,
      messages: this.#messages,
      worker: () => chance.pick(this.#workers),
      replaceWorker: () => {
        const [old] = this.#workers.splice(chance.whole(0, WORKERS - 1), 1);
        old?.kill();
        this.#startWorker();
      },
      replaceService: () => {
        const [old] = this.#services.splice(chance.whole(0, SERVICES - 1), 1);
        old?.kill();
        world.time.after(chance.spread(0.1, 3) * SECOND, () => this.#startService());
      },
      losingReplies: (probability) => {
        for (const service of this.#services) service.connection.losing = probability;
      },
      quotaOf: (keyId) => this.#quotas.get(keyId) as number,
    };
  }

  #startService(): void {
    const { world, watch, lua } = this;
    const { marginMs, windowMs } = this.#rules;
    const service = new KeyServiceProcess({
      world,
      watch,
      lua,
      server: this.#server,
      epochs: this.#epochs,
      settleMs: 2 * windowMs + TOLERANCE_MS + marginMs,
      prefix: 'pool:',
      teach: (ledger) => this.#owner.teach(ledger),
    });
    world.time.woke();
    void service.start().then(() => {
      this.#services.push(service);
      world.note('a key-service is there');
    });
  }

  #startWorker(): void {
    const { world, provider } = this;
    const { chance } = world;
    this.#started += 1;
    const community = this.#owner.keys.some((key) => key.details.kind === 'community');
    const worker = new SimulatedWorker({
      world,
      provider,
      rules: this.#rules,
      name: `w${this.#started}`,
      loops: community ? 6 : 3,
      services: () => this.#services,
      bucketOf: (keyId) => this.#owner.key(keyId).details.bucket,
      work: () => ({
        workspaceId: chance.flip(0.85) ? 'demo' : 'other',
        importId: `import-${chance.whole(1, 2)}`,
        methods: chance.flip(0.05)
          ? { 'friends.get': 1, 'users.get': 1 }
          : { [chance.flip(0.9) ? 'friends.get' : 'users.get']: 1 },
        calls: chance.flip(0.85) ? 1 : chance.whole(2, 3),
      }),
      onSettled: ({ service, verdict }) => {
        if (verdict.kind !== 'settled') return;
        if (verdict.freed) void service.desk.slotsFreed();
        if (verdict.events.length > 0) this.#owner.take(verdict.events as KeyEvent[]);
        world.time.woke();
      },
      messages: this.#messages,
    });
    this.#workers.push(worker);
    worker.start();
  }

  #fanout(change: KeyChange): void {
    const { time, chance } = this.world;
    for (const worker of this.#workers)
      time.after(chance.between(500, 20_000), () => worker.keyChanged(change));
  }
}
