/** One way of deciding when a call may be sent, in one of several worker processes. */
export interface Contender {
  /** Connects; resolves when calls could be made at once. */
  open(): Promise<void>;
  /** Makes calls for as long as `running()`; resolves when the last one is answered. */
  run(running: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/**
 * Calls in progress for every call a second of quota, over all workers: waiting for permission, under way, or being
 * answered. With up to 1 s of waiting and 0.5 s of answering, two are enough to leave no permission unused.
 */
export const CALLS_PER_QUOTA = 2;

/** How many of a key's calls one worker keeps in progress. */
export function lanesOf(perSecond: number, workers: number): number {
  return Math.ceil((CALLS_PER_QUOTA * perSecond) / workers);
}

/** Added to W + J by hand-tuned contenders (ms): their own timers and round trips are late by that much at most. */
export const OWN_LATENESS_MS = 15;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
