import { UnexpectedAnswer } from './answers';

/** A killed process is back within 10 s, a restarted server within 20. */
export const PATIENCE_MS = 30_000;
const PAUSE_MS = 300;

export interface PatienceOptions {
  /** For how long it is tried again; 30 s unless told. */
  patienceMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Repeats what failed by the connection, by 429, 502, 503 or 504, or because the same request is still being carried
 * out; every 300 ms, later where `Retry-After` says so, until the patience is over. For what may be done twice only.
 */
export async function patiently<T>(work: () => Promise<T>, options: PatienceOptions = {}): Promise<T> {
  const deadline = performance.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const pause = Math.max(PAUSE_MS, (error instanceof UnexpectedAnswer && error.retryAfterMs) || 0);
      if (!passes(error) || performance.now() + pause > deadline) throw error;
      await rest(pause, options.signal);
    }
  }
}

/** Resolves after `ms`; rejects with the signal's reason as soon as that is aborted. */
export function rest(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

/** True for failures that end by themselves while a process or a server is being restarted. */
export function passes(error: unknown): boolean {
  if (error instanceof UnexpectedAnswer) {
    return [429, 502, 503, 504].includes(error.status) || error.problem?.code === 'REQUEST.IN_PROGRESS';
  }
  return connectionFault(error) !== undefined;
}

/** The code of a failure of the connection (ECONNREFUSED, ...); undefined when it was something else. */
export function connectionFault(error: unknown): string | undefined {
  const { name, message, cause } = (error ?? {}) as Partial<Error>;
  if (name === 'TimeoutError') return 'TIMEOUT';
  // fetch() reports every failure of the connection as a TypeError whose cause knows more.
  if (name !== 'TypeError' || !/^(fetch failed|terminated)$/.test(message ?? '')) return undefined;
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : 'CONNECTION';
}
