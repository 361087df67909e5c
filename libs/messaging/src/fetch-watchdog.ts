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
 * answers again the loop has the whole timeout to move. It is asked after a quarter of the timeout in silence and
 * then as often, so that a short absence is not overlooked.
 */
export class FetchWatchdog {
  readonly #options: FetchWatchdogOptions;
  readonly #quietMs: number;
  #lastMs: number;
  #dueMs: number;
  #askAtMs: number;
  #timer: NodeJS.Timeout | undefined;
  #checking = false;
  #away = false;

  constructor(options: FetchWatchdogOptions) {
    this.#options = options;
    this.#quietMs = options.timeoutMs / 4;
    this.#lastMs = options.clock.monotonicMs();
    this.#dueMs = this.#lastMs + options.timeoutMs;
    this.#askAtMs = this.#lastMs + this.#quietMs;
  }

  /** The loop moved; the next move is due after the timeout, or after `allowedMs` when that is longer work. */
  progress(allowedMs: number = this.#options.timeoutMs): void {
    this.#lastMs = this.#options.clock.monotonicMs();
    this.#dueMs = this.#lastMs + allowedMs;
    this.#askAtMs = this.#lastMs + this.#quietMs;
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
    const askedMs = this.#options.clock.monotonicMs();
    if (this.#checking || askedMs < this.#askAtMs) return;
    this.#checking = true;
    try {
      const answers = await this.#options.probe();
      // It may have moved while the server was asked.
      if (this.#lastMs > askedMs) return;
      this.#judge(answers, this.#options.clock.monotonicMs());
    } finally {
      this.#checking = false;
    }
  }

  #judge(answers: boolean, nowMs: number): void {
    this.#askAtMs = nowMs + this.#quietMs;
    if (!answers) {
      this.#away = true;
      return;
    }
    if (this.#away) {
      this.#away = false;
      this.#dueMs = Math.max(this.#dueMs, nowMs + this.#options.timeoutMs);
    }
    if (nowMs < this.#dueMs) {
      this.#askAtMs = Math.min(this.#askAtMs, this.#dueMs);
      return;
    }
    this.stop();
    this.#options.onStuck(nowMs - this.#lastMs);
  }
}
