import type { Clock } from '@sociograph/kernel';

export interface FetchWatchdogOptions {
  clock: Clock;
  /** Silence after which the loop counts as stuck. */
  timeoutMs: number;
  /** True when the server answers; while it does not, silence is its fault, not ours. */
  probe(): Promise<boolean>;
  /** Called once: the loop is stuck although the server answers. */
  onStuck(silentMs: number): void;
}

/**
 * Notices a loop that lives on without doing anything. A server that is away is waited for; from the moment it
 * answers again the loop has the whole timeout to move.
 */
export class FetchWatchdog {
  readonly #options: FetchWatchdogOptions;
  #lastMs: number;
  #dueMs: number;
  #timer: NodeJS.Timeout | undefined;
  #checking = false;
  #away = false;

  constructor(options: FetchWatchdogOptions) {
    this.#options = options;
    this.#lastMs = options.clock.monotonicMs();
    this.#dueMs = this.#lastMs + options.timeoutMs;
  }

  /** The loop moved; the next move is due after the timeout, or after `allowedMs` when that is longer work. */
  progress(allowedMs: number = this.#options.timeoutMs): void {
    this.#lastMs = this.#options.clock.monotonicMs();
    this.#dueMs = this.#lastMs + allowedMs;
    this.#away = false;
  }

  start(everyMs = 500): void {
    this.progress();
    this.#timer = setInterval(() => void this.check(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks once; the timer does this twice a second. */
  async check(): Promise<void> {
    if (this.#checking || this.#options.clock.monotonicMs() < this.#dueMs) return;
    this.#checking = true;
    try {
      const answers = await this.#options.probe();
      const nowMs = this.#options.clock.monotonicMs();
      // It may have moved while the server was asked.
      if (nowMs < this.#dueMs) return;
      if (!answers) {
        this.#away = true;
      } else if (this.#away) {
        this.#away = false;
        this.#dueMs = nowMs + this.#options.timeoutMs;
      } else {
        this.stop();
        this.#options.onStuck(nowMs - this.#lastMs);
      }
    } finally {
      this.#checking = false;
    }
  }
}
