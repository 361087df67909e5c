import { type Clock, type Randomness, Secret } from '@sociograph/kernel';
import { keyInput } from '../domain/errors';
import type { SealedKey } from '../domain/ports';
import { KeyVault, type SealedToken, type TokenBinding } from '../domain/sealing';
import { refreshMoment } from '../domain/token-life';

/** The tokens of a key as somebody brought them. */
export interface GivenTokens {
  token: string;
  /** With it the pool gets another token by itself. */
  refresh?:
    | {
        token: string;
        clientId: string;
        deviceId?: string | undefined;
        /** When the token beside it ends, Unix ms: it is refreshed before that. */
        expiresAt?: number | undefined;
      }
    | undefined;
}

const TOKEN = /^[\x21-\x7e]{8,2048}$/;

function checkToken(token: string, field: string): void {
  if (!TOKEN.test(token)) throw keyInput(field, 'must be 8 to 2048 printable characters without spaces');
}

/** Both tokens of a pair sealed under the same binding, with the mark by which the token is recognised. */
export async function sealPair(
  vault: Pick<KeyVault, 'seal' | 'fingerprint'>,
  network: string,
  pair: { token: Secret; refreshToken: Secret },
  binding: TokenBinding,
): Promise<{ token: SealedToken; fingerprint: string; refreshToken: SealedToken }> {
  return {
    token: await vault.seal(pair.token, binding),
    fingerprint: await vault.fingerprint(network, pair.token),
    refreshToken: await vault.seal(pair.refreshToken, { ...binding, part: 'refresh' }),
  };
}

/** Checks and seals the tokens of a new key, before anything of it is written. */
export class TokenSealer {
  constructor(
    private readonly vault: Pick<KeyVault, 'seal' | 'fingerprint'>,
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly chance: Randomness,
  ) {}

  async seal(
    network: string,
    { token, refresh }: GivenTokens,
    of: { workspaceId: string; keyId: string },
  ): Promise<Omit<SealedKey, 'key'>> {
    checkToken(token, 'token');
    const binding: TokenBinding = { ...of, tokenVersion: 1 };
    const secret = new Secret(token);
    if (refresh === undefined) {
      const fingerprint = await this.vault.fingerprint(network, secret);
      return { token: await this.vault.seal(secret, binding), fingerprint };
    }
    checkToken(refresh.token, 'refresh.token');
    const { clientId, deviceId, expiresAt } = refresh;
    const pair = { token: secret, refreshToken: new Secret(refresh.token) };
    const sealed = await sealPair(this.vault, network, pair, binding);
    const dueAt =
      expiresAt === undefined ? undefined : refreshMoment(this.clock.nowMs(), expiresAt, this.chance);
    return {
      token: sealed.token,
      fingerprint: sealed.fingerprint,
      refresh: { token: sealed.refreshToken, clientId, deviceId, expiresAt, dueAt },
    };
  }
}
