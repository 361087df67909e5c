import type { ApiKey } from '../domain/api-key';
import type { LedgerSettle } from '../domain/quota-ledger';
import { sharesAreFair } from './fair-shares';
import { followsItsOrder } from './key-order';
import type { KeyOwner } from './key-owner';
import type { KeyServiceProcess } from './key-service-process';
import type { Provider } from './provider';
import { Questions } from './questions';
import { budgetsOf, type Scenario, WORKSPACES } from './scenario';
import { keysAreUsed } from './saturation';
import type { SimulatedServer } from './simulated-redis';
import type { LedgerWatch } from './watched-ledger';
import type { World } from './world';

export interface AftermathParts {
  world: World;
  provider: Provider;
  owner: KeyOwner;
  server: SimulatedServer;
  watch: LedgerWatch;
  scenario: Scenario;
  services: () => KeyServiceProcess[];
}

const SECOND = 1_000_000;
const HOUR = 3_600 * SECOND;
/** What comes so soon is waited for: a block of a budget, a slot where other keys that share a limit had theirs. */
const SOON_MS = 1_000;
const TRIES = 16;
const FOR_BUDGETS = 6;
const METHODS = ['friends.get', 'users.get'];
const fine = { kind: 'fine' as const, except: [] };

/** What must be so when everything is well again: every key comes back, none idles, shares are fair, orders are kept. */
export class Aftermath {
  readonly #parts: AftermathParts;
  readonly #ask: Questions;
  readonly #hasBudgets: boolean;
  /** Keys have one limit together: that of an address, or of a bucket. */
  readonly #isLimitShared: boolean;

  constructor(parts: AftermathParts) {
    this.#parts = parts;
    this.#ask = new Questions(parts.world, parts.scenario, parts.services);
    const { keys, rules } = parts.scenario;
    this.#hasBudgets = keys.some(({ limits }) => budgetsOf(limits).length > 0);
    this.#isLimitShared = rules.egressQuota !== undefined || keys.some(({ bucket }) => bucket !== undefined);
  }

  async play(): Promise<void> {
    const { world, scenario } = this.#parts;
    const { chance } = world;
    const isPlain = !this.#hasBudgets && scenario.egresses.length === 1;
    const parts = { ...this.#parts, ask: this.#ask };
    await this.#everyKeyReturns();
    if (this.#isWell() && !this.#isLimitShared && chance.flip(0.2)) await keysAreUsed(parts);
    const isShared = scenario.keys.some(({ sharedWith }) => sharedWith.length > 0);
    if (this.#isWell() && isPlain && isShared && chance.flip(0.5)) await sharesAreFair(parts);
    if (this.#isWell() && isPlain && chance.flip(0.15)) await followsItsOrder(parts);
  }

  #isWell(): boolean {
    return this.#parts.world.violations.length === 0;
  }

  /** Each key must be granted for each method within what its rests and budgets last at most. */
  async #everyKeyReturns(): Promise<void> {
    const { owner, provider } = this.#parts;
    await this.#ask.wait(70 * SECOND);
    owner.learn(await this.#ask.differing(owner.keys));
    for (const key of owner.keys) if (!owner.isWell(key)) owner.renew(key.id);
    await this.#ask.wait(10 * SECOND);
    provider.refusedMethods.clear();
    for (const method of METHODS) await this.#everyKeyReturnsFor(method);
  }

  async #everyKeyReturnsFor(method: string): Promise<void> {
    const { world, owner, scenario } = this.#parts;
    const callers = scenario.rules.callers[method] ?? ['user'];
    const missing = new Set<string>(
      owner.keys.filter(({ details }) => callers.includes(details.kind)).map(({ id }) => id),
    );
    const until = world.time.micros + (this.#hasBudgets ? 40 : 30) * HOUR;
    let pause = SECOND;
    while (missing.size > 0 && this.#isWell()) {
      if (world.time.micros > until) {
        world.broken('key-does-not-return', `${[...missing].join()} for ${method}`);
        return;
      }
      // Who only waits for a budget is asked for, too: that makes the next block be booked.
      const isAllowed = await this.#isAnyAllowed(method, missing);
      const tries = isAllowed ? TRIES : this.#hasBudgets ? FOR_BUDGETS : 0;
      await this.#grantAll(method, missing, tries);
      if (this.#hasBudgets && missing.size > 0) await this.#isAnyAllowed(method, missing);
      pause = Math.min(4 * pause, 2 * HOUR);
      await this.#ask.wait(pause);
      if (this.#hasBudgets && missing.size > 0) await this.#ask.tidy();
    }
  }

  /** Where keys share a limit one that nothing stands against need not be needed: it is back. */
  async #isAnyAllowed(method: string, missing: Set<string>): Promise<boolean> {
    const { egresses } = this.#parts.scenario;
    let isAllowed = false;
    for (const egress of egresses) {
      for (const workspaceId of WORKSPACES) {
        const ids = this.#reachable(workspaceId, egress).flatMap(({ id }) => (missing.has(id) ? [id] : []));
        if (ids.length === 0) continue;
        const allowed = await this.#ask.allowed(workspaceId, method, egress, ids);
        isAllowed ||= allowed.length > 0;
        if (this.#isLimitShared) for (const id of allowed) missing.delete(id);
      }
    }
    return isAllowed;
  }

  /** Takes a slot of each key for this method and reports each call as good. */
  async #grantAll(method: string, missing: Set<string>, most: number): Promise<void> {
    const settles: LedgerSettle[] = [];
    let lastSlot = 0;
    for (const egress of this.#parts.scenario.egresses) {
      for (const workspaceId of WORKSPACES) {
        const isMissing = (): boolean =>
          this.#reachable(workspaceId, egress).some(({ id }) => missing.has(id));
        for (let tries = 0; tries < most && isMissing(); tries += 1) {
          const { verdict, leaseId } = await this.#ask.grant(workspaceId, method, egress);
          if (verdict.kind === 'denied') {
            const inMs = verdict.retryAt - verdict.poolNow;
            if (inMs > SOON_MS) break;
            await this.#ask.wait(Math.max(1, inMs) * 1000);
            continue;
          }
          const { keyId, fence, slots } = verdict.grant;
          missing.delete(keyId);
          const sentAt = slots[0] as number;
          lastSlot = Math.max(lastSlot, sentAt - verdict.poolNow);
          const answer = { outcome: 'answered' as const, sentAt, answeredAt: sentAt + 90 };
          settles.push({ leaseId, fence, workspaceId, reports: [{ slot: 0, ...answer, effects: [fine] }] });
        }
      }
    }
    await this.#ask.wait(lastSlot * 1000 + 100_000);
    if (settles.length > 0) await this.#ask.settle(settles);
  }

  /** Keys of the workspace itself; those that are shared with it come back to their own one. */
  #reachable(workspaceId: string, egress: string): ApiKey[] {
    return this.#parts.owner.keys.filter(
      ({ details }) => details.workspaceId === workspaceId && (details.egress ?? egress) === egress,
    );
  }
}
