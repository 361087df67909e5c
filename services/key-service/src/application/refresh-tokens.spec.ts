import { Randomness, Secret } from '@sociograph/kernel';
import { fakeClock } from '@sociograph/testing';
import { KeyVault, type SealedToken, type TokenBinding } from '../domain/sealing';
import type { RefreshVerdict } from '../domain/token-refresh';
import { InMemoryTokenPairs, ScriptedRefresher } from '../infrastructure/in-memory-refreshes';
import { RefreshTokens } from './refresh-tokens';

/** Seals by writing down what it is bound to. */
class PlainVault extends KeyVault {
  away = false;

  async seal(token: Secret, binding: TokenBinding): Promise<SealedToken> {
    if (this.away) throw new Error('KMS is away');
    const bytes = Buffer.from(JSON.stringify({ token: token.reveal(), ...binding }));
    return { dataKeyId: 'd1', bytes };
  }

  async open(sealed: SealedToken, binding: TokenBinding): Promise<Secret> {
    if (this.away) throw new Error('KMS is away');
    const { token, ...bound } = JSON.parse(Buffer.from(sealed.bytes).toString()) as { token: string };
    if (JSON.stringify(bound) !== JSON.stringify(binding)) throw new Error('bound to something else');
    return new Secret(token);
  }

  async fingerprint(network: string, token: Secret): Promise<string> {
    return `${network} ${token.reveal()}`;
  }

  forget(): void {}
}

class Chance extends Randomness {
  value = 0;
  next(): number {
    return this.value;
  }
}

const START = 1_000_000;

function renewed(number: number, expiresInMs?: number): RefreshVerdict {
  return {
    kind: 'renewed',
    token: new Secret(`token-${number}`),
    refreshToken: new Secret(`refresh-${number}`),
    expiresInMs,
  };
}

async function setUp() {
  const clock = fakeClock(START);
  const pairs = new InMemoryTokenPairs();
  const refresher = new ScriptedRefresher();
  const vault = new PlainVault();
  const chance = new Chance();
  const told: unknown[][] = [];
  const refreshes = new RefreshTokens({
    ...{ pairs, refresher, vault, clock, chance },
    onRenewed: async (keyId) => told.push(['renewed', keyId]),
    onRefused: async (...refusal) => told.push(['refused', ...refusal]),
  });
  const keep = async (keyId: string, dueAt?: number): Promise<void> => {
    const binding = { workspaceId: 'demo', keyId, tokenVersion: 1, part: 'refresh' as const };
    const token = await vault.seal(new Secret('refresh-1'), binding);
    const refresh = { token, clientId: 'app', deviceId: 'device', dueAt };
    pairs.keep({ keyId, workspaceId: 'demo', network: 'vk', tokenVersion: 1, refresh });
  };
  await keep('k1');
  const opened = (sealed: SealedToken): unknown => JSON.parse(Buffer.from(sealed.bytes).toString());
  return { clock, pairs, refresher, vault, chance, told, refreshes, keep, opened };
}

describe('refreshing tokens', () => {
  it('asks with the refresh token, stores the new pair one version on, then tells', async () => {
    const { refreshes, refresher, pairs, told, opened } = await setUp();
    refresher.verdicts.push(renewed(2));
    expect(await refreshes.want('k1', 1)).toBe(true);
    expect(await refreshes.run()).toBe(1);
    expect(refresher.asked).toEqual([{ refreshToken: 'refresh-1', clientId: 'app', deviceId: 'device' }]);
    const [stored] = pairs.stored;
    if (stored?.outcome.kind !== 'renewed') throw new Error('nothing was stored');
    const bound = { workspaceId: 'demo', keyId: 'k1', tokenVersion: 2 };
    expect(opened(stored.outcome.token)).toEqual({ token: 'token-2', ...bound });
    expect(opened(stored.outcome.refreshToken)).toEqual({ token: 'refresh-2', ...bound, part: 'refresh' });
    expect(stored.outcome.fingerprint).toBe('vk token-2');
    expect(told).toEqual([['renewed', 'k1']]);
    expect(await refreshes.run()).toBe(0);
  });

  it('uses the successor the next time', async () => {
    const { refreshes, refresher } = await setUp();
    refresher.verdicts.push(renewed(2), renewed(3));
    for (const version of [1, 2]) {
      await refreshes.want('k1', version);
      await refreshes.run();
    }
    expect(refresher.asked.map(({ refreshToken }) => refreshToken)).toEqual(['refresh-1', 'refresh-2']);
  });

  it('knows which version of which key it has a refresh token for', async () => {
    const { refreshes } = await setUp();
    expect(await refreshes.want('k1', 2)).toBe(false);
    expect(await refreshes.want('k2', 1)).toBe(false);
    expect(await refreshes.run()).toBe(0);
  });

  it('asks once, however often it is wanted at the same time', async () => {
    const { refreshes, refresher, pairs } = await setUp();
    let answer: (verdict: RefreshVerdict) => void = () => undefined;
    refresher.verdicts.push(new Promise<RefreshVerdict>((resolve) => (answer = resolve)));
    await refreshes.want('k1', 1);
    const first = refreshes.run();
    expect(refreshes.run()).toBe(first);
    await refreshes.want('k1', 1);
    answer(renewed(2));
    expect(await first).toBe(1);
    expect(refresher.asked).toHaveLength(1);
    expect(pairs.stored).toHaveLength(1);
  });

  it('asks a network that fails ever more rarely, five minutes apart at most', async () => {
    const { refreshes, refresher, pairs, clock, told } = await setUp();
    await refreshes.want('k1', 1);
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      refresher.verdicts.push({ kind: 'failed', cause: 'status 503' });
      expect(await refreshes.run()).toBe(1);
      expect(pairs.dueAt('k1')).toBe(clock.nowMs() + seconds * 1000);
      clock.advance(seconds * 1000 - 1);
      expect(await refreshes.run()).toBe(0);
      clock.advance(1);
    }
    expect(told).toEqual([]);
    refresher.verdicts.push(renewed(2));
    await refreshes.run();
    expect(told).toEqual([['renewed', 'k1']]);
  });

  it('shortens pauses by chance, by a fifth at most', async () => {
    const { refreshes, pairs, chance } = await setUp();
    chance.value = 0.5;
    await refreshes.want('k1', 1);
    await refreshes.run();
    expect(pairs.dueAt('k1')).toBe(START + 900);
  });

  it('gives a key up that the network refuses', async () => {
    const { refreshes, refresher, told } = await setUp();
    refresher.verdicts.push({ kind: 'refused', reason: 'invalid_grant' });
    await refreshes.want('k1', 1);
    await refreshes.run();
    expect(told).toEqual([['refused', 'demo', 'k1', 'refresh-refused: invalid_grant']]);
    expect(await refreshes.want('k1', 1)).toBe(false);
  });

  it('refreshes when it was planned, unless the token is refused before', async () => {
    const { refreshes, refresher, pairs, keep, clock } = await setUp();
    await keep('k2', START + 500);
    await keep('k3', START + 90_000);
    expect(await refreshes.run()).toBe(0);
    clock.advance(500);
    refresher.verdicts.push(renewed(2), renewed(2));
    expect(await refreshes.run()).toBe(1);
    expect(pairs.stored.map(({ keyId }) => keyId)).toEqual(['k2']);
    expect(await refreshes.want('k3', 1)).toBe(true);
    expect(pairs.dueAt('k3')).toBe(START + 500);
    expect(await refreshes.run()).toBe(1);
  });

  it('plans the next refresh for before the new token ends, and none where nobody knows when', async () => {
    const { refreshes, refresher, pairs, chance, clock } = await setUp();
    chance.value = 0.5;
    refresher.verdicts.push(renewed(2, 3_600_000), renewed(3));
    await refreshes.want('k1', 1);
    await refreshes.run();
    const expiresAt = START + 3_600_000;
    const dueAt = expiresAt - 1.5 * 360_000;
    expect(pairs.stored[0]?.outcome).toMatchObject({ kind: 'renewed', expiresAt, dueAt });
    clock.advance(dueAt - START - 1);
    expect(await refreshes.run()).toBe(0);
    clock.advance(1);
    expect(await refreshes.run()).toBe(1);
    expect(pairs.dueAt('k1')).toBeUndefined();
    expect(pairs.stored[1]?.outcome).toMatchObject({ expiresAt: undefined, dueAt: undefined });
  });

  it('counts the life of a token from the moment that it was asked for', async () => {
    const { refreshes, refresher, pairs, clock } = await setUp();
    refresher.verdicts.push(
      new Promise<RefreshVerdict>((resolve) => {
        clock.advance(7_000);
        resolve(renewed(2, 3_600_000));
      }),
    );
    const asked = clock.nowMs();
    await refreshes.want('k1', 1);
    await refreshes.run();
    expect(pairs.stored[0]?.outcome).toMatchObject({ expiresAt: asked + 3_600_000 });
  });

  it('does not let a refusal cut the pause of a network that fails', async () => {
    const { refreshes, refresher, pairs } = await setUp();
    refresher.verdicts.push({ kind: 'failed', cause: 'status 503' });
    await refreshes.want('k1', 1);
    await refreshes.run();
    expect(await refreshes.want('k1', 1)).toBe(true);
    expect(pairs.dueAt('k1')).toBe(START + 1000);
  });

  it('sends the old token again when an answer got lost: some networks take it once more', async () => {
    const { refreshes, refresher, pairs, clock, told } = await setUp();
    refresher.verdicts.push({ kind: 'lost', cause: 'ECONNRESET' }, renewed(2));
    await refreshes.want('k1', 1);
    await refreshes.run();
    expect(pairs.stored[0]?.outcome).toEqual({
      kind: 'later',
      dueAt: START + 1000,
      cause: 'ECONNRESET',
      answerLost: true,
    });
    clock.advance(1000);
    await refreshes.run();
    expect(refresher.asked.map(({ refreshToken }) => refreshToken)).toEqual(['refresh-1', 'refresh-1']);
    expect(told).toEqual([['renewed', 'k1']]);
  });

  it('says that the answer was lost when the network takes the old token no more', async () => {
    const { refreshes, refresher, pairs, clock, told } = await setUp();
    refresher.verdicts.push(
      { kind: 'lost', cause: 'ECONNRESET' },
      { kind: 'failed', cause: 'status 503' },
      { kind: 'refused', reason: 'invalid_grant' },
    );
    await refreshes.want('k1', 1);
    for (const pause of [1000, 2000, 0]) {
      expect(await refreshes.run()).toBe(1);
      clock.advance(pause);
    }
    expect(pairs.stored[1]?.outcome).toMatchObject({ kind: 'later', answerLost: true });
    expect(told).toEqual([['refused', 'demo', 'k1', 'refresh-answer-lost: invalid_grant']]);
  });

  it('forgets a lost answer with the pair that it was about', async () => {
    const { refreshes, refresher, clock, told } = await setUp();
    refresher.verdicts.push({ kind: 'lost', cause: 'ECONNRESET' }, renewed(2), {
      kind: 'refused',
      reason: 'invalid_grant',
    });
    await refreshes.want('k1', 1);
    await refreshes.run();
    clock.advance(1000);
    await refreshes.run();
    await refreshes.want('k1', 2);
    await refreshes.run();
    expect(told.at(-1)).toEqual(['refused', 'demo', 'k1', 'refresh-refused: invalid_grant']);
  });

  it('says that the answer was lost when the process that had asked ended before it was stored', async () => {
    const { refreshes, refresher, pairs, told } = await setUp();
    await refreshes.want('k1', 1);
    await expect(pairs.withDue(START, async () => Promise.reject(new Error('killed')))).rejects.toThrow(
      'killed',
    );
    refresher.verdicts.push({ kind: 'refused', reason: 'invalid_grant' });
    await refreshes.run();
    expect(told).toEqual([['refused', 'demo', 'k1', 'refresh-answer-lost: invalid_grant']]);
  });

  it('does not ask the network while the vault is away', async () => {
    const { refreshes, refresher, vault, pairs, clock } = await setUp();
    vault.away = true;
    await refreshes.want('k1', 1);
    await refreshes.run();
    expect(refresher.asked).toEqual([]);
    expect(pairs.stored).toEqual([
      { keyId: 'k1', outcome: { kind: 'later', dueAt: START + 1000, cause: 'vault', answerLost: false } },
    ]);
    vault.away = false;
    clock.advance(1000);
    refresher.verdicts.push(renewed(2));
    expect(await refreshes.run()).toBe(1);
  });

  it('keeps a pair that could not be stored, and never asks for it twice', async () => {
    const { refreshes, refresher, vault, pairs, clock, told } = await setUp();
    pairs.faults.push(new Error('PostgreSQL is away'));
    refresher.verdicts.push(renewed(2));
    await refreshes.want('k1', 1);
    await expect(refreshes.run()).rejects.toThrow('PostgreSQL is away');
    vault.away = true;
    await refreshes.run();
    expect(pairs.stored.at(-1)?.outcome).toMatchObject({ kind: 'later', cause: 'vault' });
    vault.away = false;
    clock.advance(1000);
    await refreshes.run();
    expect(pairs.stored.at(-1)?.outcome.kind).toBe('renewed');
    expect(refresher.asked).toHaveLength(1);
    expect(told).toEqual([['renewed', 'k1']]);
  });

  it('goes through all that are due', async () => {
    const { refreshes, refresher, keep } = await setUp();
    await keep('k2');
    refresher.verdicts.push(renewed(2), renewed(2));
    await refreshes.want('k1', 1);
    await refreshes.want('k2', 1);
    expect(await refreshes.run()).toBe(2);
  });
});
