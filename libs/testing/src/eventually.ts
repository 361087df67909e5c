export interface EventuallyOptions {
  /** Given up after this long (ms, 10,000). */
  timeoutMs?: number;
  /** Wait between two tries (ms, 50). */
  everyMs?: number;
}

/**
 * Calls `fn` until it neither throws nor returns false, and returns what it returned. At the deadline the last
 * failure is thrown with the time it took: instead of a sleep, which is either too short or a waste.
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const { timeoutMs = 10_000, everyMs = 50 } = options;
  const startedAt = performance.now();
  for (;;) {
    let failure: unknown;
    try {
      const value = await fn();
      if (value !== false) return value as Exclude<T, false>;
      failure = new Error('the condition stayed false');
    } catch (error) {
      failure = error;
    }
    const passedMs = performance.now() - startedAt;
    if (passedMs >= timeoutMs) {
      const sentence = failure instanceof Error ? failure.message : String(failure);
      throw new Error(`not within ${Math.round(passedMs)} ms: ${sentence}`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
