export interface MarginReading {
  /** Seconds since the watch began. */
  at: number;
  ms: number;
}

const EVERY_MS = 2_000;
/** The gauge of key-service, in seconds or milliseconds as its name says. */
const GAUGE = /^(\w*margin\w*?)_(seconds|ms|milliseconds)(?:\{[^}]*\})? ([0-9.e+-]+)$/m;

/** Reads the margin in force off key-service's metrics, every other second. */
export class MarginWatch {
  readonly readings: MarginReading[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly managementUrl: string | undefined) {}

  start(): void {
    if (this.managementUrl === undefined) return;
    const startedAt = performance.now();
    this.#timer = setInterval(() => void this.#read(startedAt), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #read(startedAt: number): Promise<void> {
    try {
      const text = await (await fetch(`${this.managementUrl}/metrics`)).text();
      const ms = marginIn(text);
      if (ms !== undefined)
        this.readings.push({ at: Math.round((performance.now() - startedAt) / 1000), ms });
    } catch {
      // The next reading may work; a service that is gone shows elsewhere.
    }
  }
}

/** The learned margin in a Prometheus text, in ms; undefined when the service shows none. */
export function marginIn(metrics: string): number | undefined {
  const [, , unit, value] = GAUGE.exec(metrics) ?? [];
  if (value === undefined) return undefined;
  return unit === 'seconds' ? Number(value) * 1000 : Number(value);
}
