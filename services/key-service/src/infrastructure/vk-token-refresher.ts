import { randomBytes } from 'node:crypto';
import { Secret } from '@sociograph/kernel';
import { z } from 'zod';
import { type RefreshVerdict, TokenRefresher } from '../domain/ports';

export interface VkTokenRefresherOptions {
  /** VK ID's token endpoint: https://id.vk.com/oauth2/auth. */
  url: string;
  timeoutMs?: number;
}

const pairSchema = z.object({
  access_token: z.string().min(8).max(2048),
  refresh_token: z.string().min(8).max(2048),
  state: z.string().optional(),
});
const errorSchema = z.object({ error: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/) });

/** Errors of OAuth 2.1 (RFC 6749, 5.2 and 4.1.2.1) that pass by themselves; all others are an answer about the token. */
const PASSING = new Set(['temporarily_unavailable', 'server_error', 'slow_down', 'too_many_requests']);

/**
 * The `refresh_token` grant of VK ID: a form with client and device id, answered by a new pair; the old refresh token
 * is dead from then on. An answer that is lost on its way is a lost key: nothing is asked again with a token that the
 * network may have replaced, except where it did not answer at all.
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
      return { kind: 'failed', cause: error instanceof Error ? error.name : 'unknown' };
    }
  }
}

function verdictOf(status: number, text: string, state: string): RefreshVerdict {
  const answer = parsed(text);
  const pair = pairSchema.safeParse(answer);
  if (status === 200 && pair.success) {
    const { access_token: token, refresh_token: refreshToken, state: echoed } = pair.data;
    if (echoed !== undefined && echoed !== state) return { kind: 'failed', cause: 'state' };
    return { kind: 'renewed', token: new Secret(token), refreshToken: new Secret(refreshToken) };
  }
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
