/** What was read after whoever asked had left is good for who asks again soon. */
const KEPT_MS = 60_000;

interface Reading<T> {
  readonly result: Promise<T>;
  /** Monotonic ms. */
  readonly begunAt: number;
}

/** Readings that take long: who asks for one that is under way gets that one, and nobody waits longer than told. */
export class SharedReadings<T> {
  private readonly readings = new Map<string, Reading<T>>();

  constructor(
    private readonly patienceMs: number,
    private readonly monotonicMs: () => number,
  ) {}

  /** `since`: what began earlier is not good enough. 'late': it goes on, and who asks again gets it. */
  async take(name: string, read: () => Promise<T>, since = -Infinity): Promise<T | 'late'> {
    const before = this.readings.get(name);
    const reading = before !== undefined && before.begunAt >= since ? before : this.begin(name, read);
    const { result } = reading;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.patienceMs);
    });
    const first = await Promise.race([result, late]).finally(() => clearTimeout(timer));
    if (first !== 'late') this.forget(name, reading);
    else void result.then(() => setTimeout(() => this.forget(name, reading), KEPT_MS).unref(), this.ignored);
    return first;
  }

  private begin(name: string, read: () => Promise<T>): Reading<T> {
    const begunAt = this.monotonicMs();
    const reading = { begunAt, result: read() };
    this.readings.set(name, reading);
    reading.result.catch(() => this.forget(name, reading));
    return reading;
  }

  /** Another one may have begun meanwhile. */
  private forget(name: string, reading: Reading<T>): void {
    if (this.readings.get(name) === reading) this.readings.delete(name);
  }

  /** Whoever waits for it hears of it. */
  private readonly ignored = (): void => undefined;
}
