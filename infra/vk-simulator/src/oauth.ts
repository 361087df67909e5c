import { createHmac } from 'node:crypto';
import type { SimulatedKey } from './keys';

/** `refuse`: invalid_grant to everyone; `unavailable`: status 503; `lost`: the pair is rotated, its answer never comes. */
export type OAuthMode = 'usual' | 'refuse' | 'unavailable' | 'lost';
const MODES: readonly OAuthMode[] = ['usual', 'refuse', 'unavailable', 'lost'];

export interface OAuthAnswer {
  /** 0: the connection breaks instead. */
  status: number;
  body: object;
}

const LIFETIME_SECONDS = 3600;

/** The refresh token that a generated key begins with: user keys of VK ID have one, others have none. */
export function firstRefreshToken(seed: number, key: Pick<SimulatedKey, 'name'>): string {
  return tokenOf(seed, key.name, 'refresh', 0);
}

/**
 * VK ID's token endpoint as far as refreshing goes. A pair is replaced as a whole: the old refresh token and the old
 * access token die in the moment that the new ones are made (an assumption, and the strictest one).
 */
export class OAuth {
  mode: OAuthMode = 'usual';
  refreshed = 0;
  refused = 0;
  /** By the refresh token that is good now. */
  private readonly pairs = new Map<string, { name: string; generation: number }>();

  constructor(
    private readonly seed: number,
    keys: readonly SimulatedKey[],
    private readonly onRotated: (name: string, token: string) => void,
    private readonly lifetimeSeconds = LIFETIME_SECONDS,
  ) {
    for (const key of keys) {
      if (key.kind !== 'user') continue;
      const token = key.refreshToken ?? firstRefreshToken(seed, key);
      this.pairs.set(token, { name: key.name, generation: 0 });
    }
  }

  setMode(mode: string): OAuthMode {
    if (!MODES.includes(mode as OAuthMode)) throw new Error(`mode must be one of ${MODES.join(', ')}.`);
    this.mode = mode as OAuthMode;
    return this.mode;
  }

  answer(form: ReadonlyMap<string, string>): OAuthAnswer {
    if (this.mode === 'unavailable') return { status: 503, body: { error: 'temporarily_unavailable' } };
    const given = form.get('refresh_token') ?? '';
    if (form.get('grant_type') !== 'refresh_token') return this.refuse('unsupported_grant_type');
    if ((form.get('client_id') ?? '') === '') return this.refuse('invalid_client');
    const pair = this.pairs.get(given);
    if (pair === undefined || this.mode === 'refuse') return this.refuse('invalid_grant');
    this.pairs.delete(given);
    const generation = pair.generation + 1;
    const refreshToken = tokenOf(this.seed, pair.name, 'refresh', generation);
    const accessToken = tokenOf(this.seed, pair.name, 'access', generation);
    this.pairs.set(refreshToken, { name: pair.name, generation });
    this.onRotated(pair.name, accessToken);
    this.refreshed += 1;
    if (this.mode === 'lost') return { status: 0, body: {} };
    return {
      status: 200,
      body: {
        refresh_token: refreshToken,
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: this.lifetimeSeconds,
        state: form.get('state') ?? '',
      },
    };
  }

  private refuse(error: string): OAuthAnswer {
    this.refused += 1;
    return { status: 400, body: { error, error_description: 'The refresh token is not accepted' } };
  }
}

function tokenOf(seed: number, name: string, part: string, generation: number): string {
  const digest = createHmac('sha512', `sociograph-vk-simulator:${seed}`).update(
    `${name} ${part} ${generation}`,
  );
  return `vk${part === 'refresh' ? 2 : 1}.a.${digest.digest('base64url')}`;
}
