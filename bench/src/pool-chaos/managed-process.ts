import { ProcessHandle, type ProcessOptions } from '@sociograph/testing';
import { machineNow } from './system-clock';
import type { Presence } from './verdict';

const START_MS = 600_000;
const FOREVER_MS = 2 ** 31 - 1;

/** A process that is started again at once whenever it ends, and that writes down when it was there. */
export class ManagedProcess {
  readonly #handle: ProcessHandle;
  #started = false;
  #frozen = false;
  #wanted = false;
  /** Ends that nobody asked for. */
  endedByItself = 0;
  starts = 0;

  constructor(
    readonly name: string,
    options: ProcessOptions,
    private readonly startedLine: RegExp,
    private readonly presences: Presence[],
  ) {
    this.#handle = new ProcessHandle(options);
  }

  get pid(): number {
    return this.#handle.pid;
  }

  get lines(): readonly string[] {
    return this.#handle.lines;
  }

  /** Resolves when it said that it started. */
  async start(): Promise<void> {
    this.#wanted = true;
    this.starts += 1;
    await this.#handle.start();
    const number = this.starts;
    void this.#handle.waitForExit(FOREVER_MS).then(
      () => this.#ended(number),
      () => undefined,
    );
    await this.#handle.waitFor(this.startedLine, START_MS);
    if (this.starts === number) this.#be(true);
  }

  /** SIGSTOP for so long. */
  freeze(forMs: number): void {
    if (this.#frozen || !this.#handle.running) return;
    this.#handle.freeze();
    this.#frozen = true;
    this.#note(false);
    setTimeout(() => this.thaw(), forMs);
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    if (!this.#handle.running) return;
    this.#handle.thaw();
    if (this.#started) this.#note(true);
  }

  /** SIGKILL; the watcher starts it again. */
  async kill(): Promise<void> {
    if (!this.#handle.running) return;
    this.#be(false);
    this.endedByItself -= 1;
    await this.#handle.kill();
  }

  async end(): Promise<void> {
    this.#wanted = false;
    this.thaw();
    await this.#handle.end('SIGTERM', 10_000).catch(() => this.#handle.kill());
  }

  #ended(number: number): void {
    this.#be(false);
    if (!this.#wanted || number !== this.starts) return;
    this.endedByItself += 1;
    this.#frozen = false;
    void this.start().catch(() => undefined);
  }

  #be(started: boolean): void {
    this.#started = started;
    if (!this.#frozen || !started) this.#note(started);
  }

  #note(there: boolean): void {
    this.presences.push({ at: machineNow(), who: this.name, there });
  }
}
