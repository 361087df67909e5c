import { randomBytes } from 'node:crypto';
import { Secret } from '@sociograph/kernel';
import { z } from 'zod';
import { type RefreshVerdict, TokenRefresher } from '../domain/token-refresh';

export interface VkTokenRefresherOptions {
  /** VK ID's token endpoint: https://id.vk.com/oauth2/auth. */
  url: string;
  timeoutMs?: number;
}

const pairSchema = z.object({
  access_token: z.string().min(8).max(2048),
  refresh_token: z.string().min(8).max(2048),
  state: z.string().optional(),
  /** 0: it does not end by itself. What is no figure must not cost the pair. */
  expires_in: z.number().int().nonnegative().max(1_000_000_000).optional().catch(undefined),
});
const errorSchema = z.object({ error: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/) });

/** Errors of OAuth 2.1 (RFC 6749, 5.2 and 4.1.2.1) that pass by themselves; all others are an answer about the token. */
const PASSING = new Set(['temporarily_unavailable', 'server_error', 'slow_down', 'too_many_requests']);

/** Errors of a connection that never was: the network was not asked. */
const NOT_ASKED = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** What gateways say when they lost the answer themselves. */
const LOST_BEHIND = new Set([502, 504]);

/**
 * The `refresh_token` grant of VK ID: a form with client and device id, answered by a new pair; the old refresh token
 * is dead from then on. When no whole answer came the pair may be replaced and gone.
 */
export class VkTokenRefresher extends TokenRefresher {
  readonly #url: string;
  readonly #timeoutMs: number;

  constructor(options: VkTokenRefresherOptions) {
    super();
    this.#url = options.url;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  async refresh(request: {
    refreshToken: Secret;
    clientId: string;
    deviceId: string | undefined;
  }): Promise<RefreshVerdict> {
    const state = randomBytes(16).toString('base64url');
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: request.refreshToken.reveal(),
      client_id: request.clientId,
      state,
    });
    if (request.deviceId !== undefined) body.set('device_id', request.deviceId);
    try {
      const signal = AbortSignal.timeout(this.#timeoutMs);
      const response = await fetch(this.#url, { method: 'POST', body, signal, redirect: 'error' });
      const text = await response.text();
      return verdictOf(response.status, text, state);
    } catch (error) {
      const code = codeOf(error);
      return { kind: NOT_ASKED.has(code) ? 'failed' : 'lost', cause: code };
    }
  }
}

/** undici's errors have the one of the socket as their cause. */
function codeOf(error: unknown): string {
  const { name, code, cause } = error as { name?: string; code?: unknown; cause?: { code?: unknown } };
  const told = cause?.code ?? (typeof code === 'string' ? code : undefined);
  return typeof told === 'string' ? told : (name ?? 'unknown');
}

function verdictOf(status: number, text: string, state: string): RefreshVerdict {
  const answer = parsed(text);
  const pair = pairSchema.safeParse(answer);
  if (status === 200 && pair.success) {
    const {
      access_token: token,
      refresh_token: refreshToken,
      state: echoed,
      expires_in: seconds,
    } = pair.data;
    if (echoed !== undefined && echoed !== state) return { kind: 'lost', cause: 'state' };
    return {
      kind: 'renewed',
      token: new Secret(token),
      refreshToken: new Secret(refreshToken),
      expiresInMs: seconds ? seconds * 1000 : undefined,
    };
  }
  if (status === 200 || LOST_BEHIND.has(status)) return { kind: 'lost', cause: `status ${status}` };
  const error = errorSchema.safeParse(answer);
  const passes = status >= 500 || status === 429 || !error.success || PASSING.has(error.data.error);
  if (passes) return { kind: 'failed', cause: error.success ? error.data.error : `status ${status}` };
  return { kind: 'refused', reason: error.data.error };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
