/** A flag that one waits for; raising it while nobody waits is remembered once. */
export class Signal {
  private up = false;
  private wake: (() => void) | undefined;

  raise(): void {
    this.up = true;
    this.wake?.();
  }

  /** True when it was raised, false when `signal` aborted or `withinMs` passed before; lowers it. */
  raised(signal: AbortSignal, withinMs?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wake = undefined;
        signal.removeEventListener('abort', done);
        resolve(this.up);
        this.up = false;
      };
      const timer = withinMs === undefined ? undefined : setTimeout(done, withinMs);
      this.wake = done;
      if (this.up || signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }
}

/** Resolves after that time, or at once when `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
