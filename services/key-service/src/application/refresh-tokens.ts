import type { Clock, Randomness, Secret } from '@sociograph/kernel';
import type { DueRefresh, KeyVault, RefreshOutcome, TokenPairs, TokenRefresher } from '../domain/ports';

export interface RefreshTokensParts {
  pairs: TokenPairs;
  refresher: TokenRefresher;
  vault: KeyVault;
  clock: Clock;
  chance: Randomness;
  /** The key has another token now. */
  onRenewed: (keyId: string) => Promise<unknown>;
  /** No other token is to be had. */
  onRefused: (workspaceId: string, keyId: string, reason: string) => Promise<unknown>;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Share of a pause by which chance shortens it. */
const SPREAD = 0.2;

/**
 * Refreshes tokens, one process of the fleet at a time for a key. The new pair is stored before anybody may use it; a
 * network that fails is asked again, ever more rarely, one that refuses makes the key invalid.
 */
export class RefreshTokens {
  /** Pairs that the network gave and that could not be stored yet: it gives each only once. */
  readonly #unstored = new Map<string, { tokenVersion: number; token: Secret; refreshToken: Secret }>();
  #running: Promise<number> | undefined;

  constructor(private readonly parts: RefreshTokensParts) {}

  /** The token of this version is good for nothing any more. False when there is no refresh token to it. */
  async want(keyId: string, tokenVersion: number): Promise<boolean> {
    const { pairs, clock } = this.parts;
    return pairs.want(keyId, tokenVersion, clock.nowMs());
  }

  /** Refreshes all that is due; answers how many keys it was at. What fails comes up again with a later run. */
  run(): Promise<number> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<number> {
    const { pairs, clock } = this.parts;
    for (let count = 0; ; count += 1) {
      const done = await pairs.withDue(clock.nowMs(), (due) => this.#refresh(due));
      if (done === undefined) return count;
      const { due, outcome } = done;
      if (outcome.kind !== 'later') this.#unstored.delete(due.keyId);
      if (outcome.kind === 'renewed') await this.parts.onRenewed(due.keyId);
      if (outcome.kind === 'refused')
        await this.parts.onRefused(due.workspaceId, due.keyId, `refresh-refused: ${outcome.reason}`);
    }
  }

  async #refresh(due: DueRefresh): Promise<RefreshOutcome> {
    const { keyId, workspaceId, network, tokenVersion, refresh } = due;
    const { vault, refresher } = this.parts;
    const held = this.#unstored.get(keyId);
    let pair = held?.tokenVersion === tokenVersion ? held : undefined;
    if (pair === undefined) {
      // Opened first: a vault that is away must show before the network gave away the only pair.
      const binding = { workspaceId, keyId, tokenVersion, part: 'refresh' as const };
      const refreshToken = await vault.open(refresh.token, binding).catch(() => undefined);
      if (refreshToken === undefined) return this.#later(due, 'vault');
      const { clientId, deviceId } = refresh;
      const verdict = await refresher.refresh({ network, refreshToken, clientId, deviceId });
      if (verdict.kind === 'refused') return verdict;
      if (verdict.kind === 'failed') return this.#later(due, verdict.cause);
      pair = { tokenVersion, token: verdict.token, refreshToken: verdict.refreshToken };
      this.#unstored.set(keyId, pair);
    }
    const next = { workspaceId, keyId, tokenVersion: tokenVersion + 1 };
    try {
      return {
        kind: 'renewed',
        token: await vault.seal(pair.token, next),
        fingerprint: await vault.fingerprint(network, pair.token),
        refreshToken: await vault.seal(pair.refreshToken, { ...next, part: 'refresh' }),
      };
    } catch {
      return this.#later(due, 'vault');
    }
  }

  #later(due: DueRefresh, cause: string): RefreshOutcome {
    const { clock, chance } = this.parts;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** due.tries, LONGEST_PAUSE_MS);
    return { kind: 'later', dueAt: clock.nowMs() + pause * (1 - SPREAD * chance.next()), cause };
  }
}
