import type { Clock } from '@sociograph/kernel';
import type { ApiKey } from '../domain/api-key';
import type { OwnerNotices } from '../domain/audit';
import { PoolReport } from '../domain/pool-report';
import type { KeyEvent, KeyEventKind } from '../domain/key-events';
import type { KeyStateBroadcast } from '../domain/ports';
import type { RestKeeper } from './keep-rests';
import type { KeyRing } from './key-ring';
import type { RefreshTokens } from './refresh-tokens';
import type { InvalidKeys } from './write-invalid-keys';

export interface KeyEventParts {
  ring: Pick<KeyRing, 'key' | 'refresh'>;
  broadcast: KeyStateBroadcast;
  invalid: Pick<InvalidKeys, 'note' | 'write'>;
  rests: Pick<RestKeeper, 'note' | 'write'>;
  refreshes: Pick<RefreshTokens, 'want' | 'run'>;
  owners: OwnerNotices;
  report: PoolReport;
  clock: Clock;
}

/** Events whose rests may be worth keeping. */
const OF_RESTS = new Set<KeyEventKind>([
  'resting',
  'method-resting',
  'method-barred',
  'method-returned',
  'egress-barred',
  'egress-returned',
]);

/** What happens when the answers of a settle changed what the pool knows of keys. */
export class KeyEventDesk {
  /** Versions of tokens that are being refreshed: who asks again would wait for the lock of their pair. */
  readonly #asked = new Set<string>();

  constructor(private readonly parts: KeyEventParts) {}

  /**
   * Never waits and never throws: the settle that brought the events is answered meanwhile. Workers hear first: a
   * call with a token that was refused may be a few milliseconds away. Rows follow; what cannot be written now is
   * written by the next chore.
   */
  take(events: readonly KeyEvent[], service: string): void {
    for (const event of events) this.#tellWorkers(event);
    for (const event of events) this.#note(event, service);
    const { invalid, rests } = this.parts;
    if (events.some(({ kind }) => kind === 'invalid')) void invalid.write().catch(() => undefined);
    if (events.some(({ kind }) => OF_RESTS.has(kind))) void rests.write().catch(() => undefined);
  }

  /** A key that rests until it has another token; also found by comparing with the ledger after a crash. */
  refresh(keyId: string, tokenVersion: number, reason: string, service: string): void {
    const { refreshes, invalid, report, ring } = this.parts;
    const asked = `${keyId} ${tokenVersion}`;
    if (this.#asked.has(asked)) return;
    this.#asked.add(asked);
    const work = async (): Promise<void> => {
      if (await refreshes.want(keyId, tokenVersion)) {
        await refreshes.run();
        return;
      }
      await ring.refresh();
      // Somebody was quicker, and it has another token already.
      if (ring.key(keyId)?.details.tokenVersion !== tokenVersion) return;
      invalid.note(keyId, reason, service);
      await invalid.write();
    };
    void work()
      .catch((error: unknown) => report.failed('a token could not be refreshed', error))
      .finally(() => this.#asked.delete(asked));
  }

  /** Its tokens are worth nothing any more, and no other is to be had without its owner. */
  consentNeeded(keyId: string, reason: string): void {
    this.take([{ keyId, kind: 'needs-owner', code: 0, forMs: 0, reason }], 'key-service');
  }

  #note(event: KeyEvent, service: string): void {
    const { invalid, rests, owners, report, ring } = this.parts;
    report.keyChanged(event);
    const key = ring.key(event.keyId);
    const reason = event.reason ?? 'token-refused';
    if (event.kind === 'invalid') invalid.note(event.keyId, reason, service);
    if (event.kind === 'refresh-needed' && event.tokenVersion !== undefined)
      this.refresh(event.keyId, event.tokenVersion, reason, service);
    if (OF_RESTS.has(event.kind)) rests.note(event);
    if (key !== undefined && (event.kind === 'needs-owner' || event.kind === 'foreign-use'))
      owners.tell(key, { change: `key.${event.kind}`, reason: event.reason ?? event.kind });
  }

  #tellWorkers(event: KeyEvent): void {
    const { ring } = this.parts;
    if (!isForWorkers(event)) return;
    const key = ring.key(event.keyId);
    if (key !== undefined) {
      this.#announce(key, event);
      return;
    }
    // Registered by another instance a moment ago.
    void ring
      .refresh()
      .then(() => {
        const found = ring.key(event.keyId);
        if (found !== undefined) this.#announce(found, event);
      })
      .catch(() => undefined);
  }

  #announce(key: ApiKey, event: KeyEvent): void {
    const { broadcast, clock, report } = this.parts;
    const now = clock.nowMs();
    const limits = {
      ...(event.kind === 'resting' && event.untilAt !== undefined && { restingUntil: event.untilAt }),
      ...(event.kind === 'egress-barred' && event.egress !== undefined && { egress: event.egress }),
    };
    void broadcast
      .announce(announced(key, event, now), now, limits)
      .catch((error: unknown) => report.failed('workers could not be told of a key', error));
  }
}

function isForWorkers({ kind }: KeyEvent): boolean {
  return kind === 'invalid' || kind === 'refresh-needed' || kind === 'egress-barred' || kind === 'resting';
}

/** The key as workers have to see it; its row comes later, and is nothing that they ask. */
function announced(key: ApiKey, event: KeyEvent, now: number): ApiKey {
  if (event.kind === 'invalid') return key.invalidate(event.reason ?? 'token-refused', now);
  // Out for the time being, and back with the next word of it.
  if (event.kind !== 'resting' && key.state === 'active') return key.pause(now);
  return key;
}
