import type { KeyId, WorkspaceId } from '@sociograph/kernel';
import type { KeyChange } from '@sociograph/lease-client';
import { ApiKey, type KeyState } from '../domain/api-key';
import type { KeyEvent } from '../domain/key-events';
import type { QuotaLedger } from '../domain/quota-ledger';
import type { KeyServiceProcess } from './key-service-process';
import type { Provider } from './provider';
import { budgetsOf, type KeyPlan } from './scenario';
import type { World } from './world';

/** The rows of the keys and who changes them; tells the ledgers of all key-services, and the workers by fanout. */
export class KeyOwner {
  readonly #world: World;
  readonly #provider: Provider;
  readonly #processes: () => KeyServiceProcess[];
  readonly #fanout: (change: KeyChange) => void;
  readonly #keys = new Map<string, ApiKey>();

  constructor(
    world: World,
    provider: Provider,
    processes: () => KeyServiceProcess[],
    fanout: (change: KeyChange) => void,
  ) {
    this.#world = world;
    this.#provider = provider;
    this.#processes = processes;
    this.#fanout = fanout;
  }

  get keys(): ApiKey[] {
    return [...this.#keys.values()];
  }

  add({ id, workspaceId, kind, limits, weight, bucket, egress, sharedWith }: KeyPlan): void {
    const created = ApiKey.create({
      id: id as KeyId,
      workspaceId: workspaceId as WorkspaceId,
      network: 'vk',
      ...{ kind, limits, weight, bucket, egress },
      consent: { givenBy: 'owner' },
      now: this.#world.time.micros / 1000,
    });
    const key = ApiKey.restore({ ...created.details, sharedWith });
    this.#keys.set(id, key);
    this.#provider.setQuota(key.details.bucket, limits.perSecond);
    this.#provider.setBudgets(key.details.bucket, budgetsOf(limits));
  }

  key(id: string): ApiKey {
    return this.#keys.get(id) as ApiKey;
  }

  /** Its present token is not the one that is refused. */
  isWell({ id, state, details }: ApiKey): boolean {
    return state === 'active' && !this.#provider.isDead(id, details.tokenVersion);
  }

  async teach(ledger: QuotaLedger): Promise<void> {
    await ledger.define(this.keys);
  }

  become(id: string, state: KeyState): void {
    if (this.key(id).state === state) return;
    this.#change(id, { state });
    if (state !== 'active') this.#fanout({ keyId: id, state });
  }

  /** Of all keys that count together. */
  limit(id: string, perSecond: number): void {
    const { bucket } = this.key(id).details;
    for (const key of this.keys)
      if (key.details.bucket === bucket)
        this.#change(key.id, { limits: { ...key.details.limits, perSecond } });
    this.#provider.setQuota(bucket, perSecond);
  }

  die(id: string): void {
    this.#provider.kill(id, this.key(id).details.tokenVersion);
  }

  /** Another token: what was wrong with the old one is over, and what is on its way with that one may be refused. */
  renew(id: string): void {
    if (this.#world.chance.flip(0.7)) this.die(id);
    for (const name of this.#provider.refusedMethods)
      if (name.startsWith(`${id} `)) this.#provider.refusedMethods.delete(name);
    this.#change(id, { state: 'active', tokenVersion: this.key(id).details.tokenVersion + 1 });
    this.#fanout({ keyId: id, state: 'replaced' });
  }

  /** What key-service does with the events of a settle. */
  take(events: readonly KeyEvent[]): void {
    for (const event of events) {
      const { keyId, kind, untilAt } = event;
      if (kind === 'resting') this.#fanout({ keyId, state: 'active', restingUntil: untilAt });
      if (kind === 'invalid') this.#isInvalid(keyId);
    }
  }

  /** What it does with keys that the ledger has in another state than their rows. */
  learn(differing: Awaited<ReturnType<QuotaLedger['define']>>): void {
    for (const { keyId, state } of differing)
      if (state === 'invalid' && this.key(keyId).state === 'active') this.#isInvalid(keyId);
  }

  #isInvalid(keyId: string): void {
    this.become(keyId, 'invalid');
    // Its owner gives the pool another token: at once, or after a while.
    this.#world.time.after(this.#world.chance.spread(0.02e6, 4e6), () => this.renew(keyId));
  }

  #change(id: string, details: Partial<ApiKey['details']>): ApiKey {
    const old = this.key(id).details;
    const key = ApiKey.restore({ ...old, ...details, version: old.version + 1 });
    this.#keys.set(id, key);
    this.#world.note('key changes', id, JSON.stringify(details));
    for (const process of this.#processes()) this.#tell(process, key);
    return key;
  }

  /** Each key-service hears of it by itself, again until its ledger took it. */
  #tell(process: KeyServiceProcess, key: ApiKey): void {
    const { time, chance } = this.#world;
    time.after(chance.between(1_000, 30_000), () => {
      if (!process.alive || this.key(key.id) !== key) return;
      time.woke();
      process.ledger.define([key]).then(
        () => process.desk.slotsFreed(),
        () => time.after(2_000_000, () => this.#tell(process, key)),
      );
    });
  }
}
