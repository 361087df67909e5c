import type { Clock } from '@sociograph/kernel';
import type { KeyRest, KeyRests, StoredRest } from '../domain/key-rests';
import type { KeyEvent } from '../domain/key-events';
import type { QuotaLedger } from '../domain/quota-ledger';
import type { KeyRing } from './key-ring';

type Name = Pick<StoredRest, 'keyId' | 'kind' | 'name'>;

/** Shorter ones are over before a memory that was lost is whole again. */
const WORTH_KEEPING_MS = 60_000;

/**
 * Rests of hours outlive a loss of the pool's memory: they are written outside of the settle's path, and told to the
 * ledger again. What a killed process did not write costs one refused call.
 */
export class RestKeeper {
  readonly #unwritten = new Map<string, StoredRest | Name>();

  constructor(
    private readonly rests: KeyRests,
    private readonly ledger: Pick<QuotaLedger, 'restoreRests' | 'endRests' | 'rests'>,
    private readonly ring: Pick<KeyRing, 'key'>,
    private readonly clock: Clock,
  ) {}

  note(event: KeyEvent): void {
    const changed = this.#changeOf(event);
    if (changed !== undefined) this.#put(changed);
  }

  /** Throws what kept the rests from being written; they stay noted. */
  async write(): Promise<void> {
    const taken = [...this.#unwritten.values()];
    if (taken.length === 0) return;
    this.#unwritten.clear();
    const kept = taken.filter((rest): rest is StoredRest => 'untilAt' in rest);
    const gone = taken.filter((rest) => !('untilAt' in rest));
    try {
      await this.rests.write({ kept, gone });
    } catch (error) {
      // What was noted meanwhile is newer.
      for (const rest of taken) if (!this.#unwritten.has(nameOf(rest))) this.#put(rest);
      throw error;
    }
  }

  /** For a memory that knows the keys but not what they went through. */
  async restore(): Promise<number> {
    const stored = await this.rests.all(this.clock.nowMs());
    return stored.length === 0 ? 0 : this.ledger.restoreRests(stored);
  }

  list(keyId: string): Promise<KeyRest[]> {
    return this.ledger.rests(keyId);
  }

  /** Somebody knows better: ends rests before their time; answers how many. */
  async end(keyId: string, which: { kind?: KeyRest['kind']; name?: string } = {}): Promise<number> {
    const known = await this.ledger.rests(keyId);
    const ended = await this.ledger.endRests(keyId, which);
    for (const { kind, name } of known) {
      const meant = (which.kind ?? kind) === kind && (which.name ?? name) === name;
      if (meant && kind !== 'circuit') this.#put({ keyId, kind, name });
    }
    await this.write();
    return ended;
  }

  #changeOf(event: KeyEvent): StoredRest | Name | undefined {
    const { keyId, kind, untilAt, forMs, code } = event;
    if (kind === 'method-returned') return { keyId, kind: 'method', name: event.method ?? '' };
    if (kind === 'egress-returned') return { keyId, kind: 'egress', name: event.egress ?? '' };
    const key = this.ring.key(keyId);
    if (untilAt === undefined || key === undefined) return undefined;
    const rest = { keyId, tokenVersion: key.details.tokenVersion, untilAt, lengthMs: forMs, code };
    if (kind === 'method-resting' || kind === 'method-barred')
      return { ...rest, kind: 'method', name: event.method ?? '', barred: kind === 'method-barred' };
    if (kind === 'egress-barred') return { ...rest, kind: 'egress', name: event.egress ?? '', barred: true };
    if (kind === 'resting' && forMs >= WORTH_KEEPING_MS)
      return { ...rest, kind: 'key', name: '', barred: false };
    return undefined;
  }

  #put(change: StoredRest | Name): void {
    this.#unwritten.set(nameOf(change), change);
  }
}

function nameOf({ keyId, kind, name }: Name): string {
  return `${keyId} ${kind} ${name}`;
}
