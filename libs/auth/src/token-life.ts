/** The token that a request came with, for answers that last. */
export interface TokenLife {
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** Whether it was taken back since: a removal, a change of role. Answered from memory. */
  isTakenBack(): Promise<boolean>;
}

export type EndOfToken = 'token-expired' | 'token-revoked';

const LOOK_EVERY_MS = 1_000;
/** setTimeout takes no longer ones; the token of such a client is of another kind than ours. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Calls `end` once: when the token expires, or within a second of this process hearing that it was taken back (DESIGN 7).
 * `now` in milliseconds since the Unix epoch. Returns what ends the watch; it keeps no process alive.
 */
export function watchToken(token: TokenLife, now: number, end: (reason: EndOfToken) => void): () => void {
  let stopped = false;
  const over = (reason: EndOfToken): void => {
    stop();
    end(reason);
  };
  const left = Math.min(LONGEST_TIMER_MS, Math.max(0, token.expiresAt - now));
  const expiry = setTimeout(() => over('token-expired'), left).unref();
  const look = setInterval(() => {
    token.isTakenBack().then(
      (isTakenBack) => {
        if (isTakenBack && !stopped) over('token-revoked');
      },
      // Not known just now: the next look tells.
      () => undefined,
    );
  }, LOOK_EVERY_MS).unref();
  const stop = (): void => {
    stopped = true;
    clearTimeout(expiry);
    clearInterval(look);
  };
  return stop;
}
