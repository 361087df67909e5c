import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../fleet/servers';
import type { FromWorker, ToWorker, WorkerReport, WorkerSettings } from './worker/protocol';

// As it is built: under jest there is no other.
const PROGRAM = join(ROOT, 'bench/dist/pool/worker/main.js');
const READY_MS = 60_000;
const REPORT_MS = 10_000;

/** One worker process and what it says. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #said: FromWorker[] = [];
  readonly #gone: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(private readonly settings: WorkerSettings) {
    this.#child = fork(PROGRAM, { execArgv: ['--enable-source-maps'], serialization: 'advanced' });
    this.#child.on('message', (message: FromWorker) => {
      this.#said.push(message);
      this.#wake();
    });
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', () => {
        this.#said.push({ kind: 'failed', why: 'the worker process ended' });
        this.#wake();
        resolve();
      });
    });
  }

  async prepare(): Promise<void> {
    this.tell({ kind: 'prepare', settings: this.settings });
    await this.#heard('ready', READY_MS);
  }

  tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message);
  }

  /** Ends its calls and takes what it saw. */
  async stop(): Promise<WorkerReport> {
    this.tell({ kind: 'stop' });
    const { report } = await this.#heard('report', REPORT_MS);
    return report;
  }

  /** Why it failed, if it did. */
  get failure(): string | undefined {
    const failed = this.#said.find((message) => message.kind === 'failed');
    return failed?.kind === 'failed' ? failed.why : undefined;
  }

  /** Gives calls under way a moment, then ends the process. */
  async end(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#gone;
    clearTimeout(timer);
  }

  async #heard<K extends 'ready' | 'report'>(
    kind: K,
    withinMs: number,
  ): Promise<Extract<FromWorker, { kind: K }>> {
    const until = performance.now() + withinMs;
    for (;;) {
      const found = this.#said.find((message) => message.kind === kind);
      if (found !== undefined) return found as Extract<FromWorker, { kind: K }>;
      if (this.failure !== undefined) throw new Error(`a worker failed: ${this.failure}`);
      const left = until - performance.now();
      if (left <= 0) throw new Error(`a worker did not say "${kind}" within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
