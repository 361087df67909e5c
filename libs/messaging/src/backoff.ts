/** Wait before repeat number `attempt` (1, 2, ...): doubles from `firstMs` and stops growing at `maxMs`. */
export function backoffMs(attempt: number, firstMs = 100, maxMs = 5_000): number {
  return Math.min(maxMs, firstMs * 2 ** (attempt - 1));
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/**
 * Resolves when `work` has ended, or after `ms`. Leaves no timer behind: one of some seconds keeps a process alive that
 * has nothing left to do. Rejects when `work` does in that time.
 */
export async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  const ended = new AbortController();
  try {
    await Promise.race([work, pause(ms, ended.signal)]);
  } finally {
    ended.abort();
  }
}

/** The value of `promise`, or what `onLate` makes when it takes longer than `ms`; the promise itself goes on. */
export async function within<T>(promise: Promise<T>, ms: number, onLate: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(onLate()), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
