import type { KeyChange } from '@sociograph/lease-client';
import type { BudgetBlocks } from '../domain/budget-blocks';
import type { KeyEvent } from '../domain/key-events';
import { InMemoryPoolEpochs } from '../infrastructure/in-memory';
import { InMemoryBudgetBlocks } from '../infrastructure/in-memory-budgets';
import { Aftermath } from './aftermath';
import { drawFaults, type Stage } from './faults';
import { KeyOwner } from './key-owner';
import { KeyServiceProcess } from './key-service-process';
import { Provider } from './provider';
import type { RedisRoom } from './redis-room';
import { budgetsOf, drawScenario, type Scenario, WORK } from './scenario';
import { SimulatedServer } from './simulated-redis';
import { LedgerWatch } from './watched-ledger';
import { SimulatedWorker, type Work } from './worker';
import type { Mishaps } from './worker-messages';
import type { World } from './world';

const SECOND = 1_000_000;
/** Of a run, at least. */
const GRANTS = 200;
const FAULTS = 5;
const WORKERS = 3;
const SERVICES = 2;
const TOLERANCE_MS = 250;
/** No run of this length has work left to do. */
const TOO_LONG = 7 * 24 * 3600 * SECOND;

/** Everybody of one run, and how it goes: work under faults until there was enough of both, then what must be so after. */
export class Run {
  readonly watch: LedgerWatch;
  readonly provider: Provider;
  readonly server: SimulatedServer;
  readonly #scenario: Scenario;
  readonly #epochs = new InMemoryPoolEpochs();
  readonly #blocks: BudgetBlocks | undefined;
  readonly #owner: KeyOwner;
  readonly #mishaps: Mishaps = { lost: 0, twice: 0 };
  #services: KeyServiceProcess[] = [];
  #workers: SimulatedWorker[] = [];
  #started = 0;

  constructor(
    readonly world: World,
    room: RedisRoom,
    readonly lua: string,
  ) {
    const scenario = drawScenario(world.chance);
    const { rules, keys, counting, path, egresses } = scenario;
    this.#scenario = scenario;
    world.note('played', counting, rules.strategy, egresses.length, rules.egressQuota);
    this.provider = new Provider(world, counting, path);
    if (rules.egressQuota !== undefined) this.provider.limitAddresses(rules.egressQuota, egresses);
    this.server = new SimulatedServer(world, room);
    this.watch = new LedgerWatch(world, this.provider, () => this.server.micros());
    this.#owner = new KeyOwner(
      world,
      this.provider,
      () => this.#services,
      (change) => this.#fanout(change),
    );
    for (const plan of keys) {
      world.note('key', JSON.stringify(plan));
      this.#owner.add(plan);
      if (plan.egress !== undefined) this.provider.boundTo.set(plan.id, plan.egress);
    }
    if (keys.some(({ limits }) => budgetsOf(limits).length > 0))
      this.#blocks = new InMemoryBudgetBlocks(() => world.time.micros / 1000);
  }

  /** The names of the faults that happened. */
  async play(): Promise<string[]> {
    const { world } = this;
    const { time, chance } = world;
    await this.server.clean();
    for (let index = 0; index < SERVICES; index += 1) this.#startService();
    await time.runUntil(() => this.#services.length === SERVICES);
    for (let index = 0; index < WORKERS; index += 1) this.#startWorker(index);
    const planned = drawFaults(chance, this.#scenario);
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
    const { grants } = this.watch;
    if (world.violations.length === 0 && (grants < GRANTS || planned.length < FAULTS))
      world.broken('too-little-happened', `${grants} grants, ${planned.length} faults`);
    if (world.violations.length === 0) await this.#calmDown();
    for (const service of this.#services) service.kill();
    return planned.map(({ name }) => name);
  }

  async #calmDown(): Promise<void> {
    const { world, provider } = this;
    world.note('ALL IS WELL');
    world.calm = true;
    provider.storm = undefined;
    this.#mishaps.lost = this.#mishaps.twice = 0;
    for (const service of this.#services) service.connection.losing = 0;
    for (const worker of this.#workers) worker.stop();
    const aftermath = new Aftermath({
      ...{ world, provider, scenario: this.#scenario },
      owner: this.#owner,
      server: this.server,
      watch: this.watch,
      services: () => this.#services,
    });
    await aftermath.play().catch((error: unknown) => world.broken('pool-does-not-answer', String(error)));
  }

  #stage(): Stage {
    const { world, provider, watch } = this;
    const { chance } = world;
    return {
      world,
      provider,
      watch,
      server: this.server,
      owner: this.#owner,
      ...{ mishaps: this.#mishaps, scenario: this.#scenario },
      worker: () => chance.pick(this.#workers),
      replaceWorker: () => {
        const index = chance.whole(0, WORKERS - 1);
        this.#workers[index]?.kill();
        this.#startWorker(index);
      },
      replaceService: () => {
        const [old] = this.#services.splice(chance.whole(0, SERVICES - 1), 1);
        old?.kill();
        world.time.after(chance.spread(0.1, 3) * SECOND, () => this.#startService());
      },
      losingReplies: (probability) => {
        for (const service of this.#services) service.connection.losing = probability;
      },
      quotaOf: (keyId) => this.#scenario.keys.find(({ id }) => id === keyId)?.limits.perSecond as number,
    };
  }

  #startService(): void {
    const { world, watch, lua } = this;
    const { marginMs, windowMs } = this.#scenario.rules;
    const service = new KeyServiceProcess({
      ...{ world, watch, lua },
      server: this.server,
      epochs: this.#epochs,
      blocks: this.#blocks,
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

  #startWorker(index: number): void {
    const { world, provider } = this;
    const { rules, egresses } = this.#scenario;
    this.#started += 1;
    const community = this.#owner.keys.some((key) => key.details.kind === 'community');
    const worker = new SimulatedWorker({
      ...{ world, provider, rules, mishaps: this.#mishaps },
      name: `w${this.#started}`,
      egress: egresses[index % egresses.length] as string,
      loops: community ? 4 : 2,
      services: () => this.#services,
      poolMicros: () => this.server.micros(),
      bucketOf: (keyId) => this.#owner.key(keyId).details.bucket,
      work: () => this.#work(),
      onSettled: ({ service, verdict }) => {
        if (verdict.kind !== 'settled') return;
        if (verdict.freed) void service.desk.slotsFreed();
        if (verdict.events.length > 0) this.#owner.take(verdict.events as KeyEvent[]);
        world.time.woke();
      },
    });
    this.#workers[index] = worker;
    worker.start();
  }

  #work(): Work {
    const { chance } = this.world;
    const workspaceId = chance.flip(0.85) ? 'demo' : 'other';
    const index = chance.whole(0, this.#scenario.imports.length - 1);
    return {
      workspaceId,
      importId: `import-${index}`,
      methods: chance.flip(0.04)
        ? chance.pick(WORK)
        : (this.#scenario.imports[index] as Scenario['imports'][0]),
      calls: chance.flip(0.9) ? 1 : chance.whole(2, 3),
    };
  }

  #fanout(change: KeyChange): void {
    const { time, chance } = this.world;
    for (const worker of this.#workers)
      time.after(chance.between(500, 20_000), () => worker.keyChanged(change));
  }
}
