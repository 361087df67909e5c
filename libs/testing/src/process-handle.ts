import { spawn, type ChildProcess } from 'node:child_process';

export interface ProcessOptions {
  command: string;
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Of another user; only root may. */
  uid?: number;
  gid?: number;
}

export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How much of the output is kept for messages of failed waits. */
const KEPT_LINES = 2_000;

/** One child process under test: its output, its end, and the signals that faults are made of. */
export class ProcessHandle {
  readonly #options: ProcessOptions;
  readonly #watchers = new Set<() => void>();
  #child: ChildProcess | undefined;
  #lines: string[] = [];
  #exit: ProcessExit | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Starts it; resolves when the system has made the process. */
  async start(): Promise<this> {
    const { command, args = [], env, cwd, uid, gid } = this.#options;
    this.#exit = undefined;
    this.#lines = [];
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) this.#collect(stream);
    child.on('exit', (code, signal) => {
      this.#exit = { code, signal };
      this.#notify();
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return this;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the process is not started');
    return pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#exit === undefined;
  }

  /** Lines of standard output and error, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The first line that matches, also among those already there. Throws with the last lines at the deadline or at an exit. */
  async waitFor(pattern: RegExp, timeoutMs = 10_000): Promise<string> {
    return this.#wait(`a line like ${pattern}`, timeoutMs, () => {
      const line = this.#lines.find((candidate) => pattern.test(candidate));
      if (line === undefined && this.#exit !== undefined) {
        throw new Error(`the process ended (${describe(this.#exit)}) before ${pattern}\n${this.#tail()}`);
      }
      return line;
    });
  }

  async waitForExit(timeoutMs = 10_000): Promise<ProcessExit> {
    return this.#wait('the exit', timeoutMs, () => this.#exit);
  }

  /** SIGKILL: no goodbye, no flush. Resolves when it is gone. */
  async kill(): Promise<ProcessExit> {
    return this.end('SIGKILL');
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 10_000): Promise<ProcessExit> {
    if (!this.running) return this.#exit ?? { code: null, signal: null };
    this.#child?.kill(signal);
    return this.waitForExit(timeoutMs);
  }

  /** SIGSTOP: frozen in the middle of whatever it does; its sockets stay open. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** SIGCONT after `freeze`. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Kills it and starts it anew with the same command. */
  async restart(): Promise<this> {
    await this.kill();
    return this.start();
  }

  #collect(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('utf8')).split('\n');
      rest = parts.pop() ?? '';
      this.#lines.push(...parts);
      if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
      this.#notify();
    });
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #tail(): string {
    return this.#lines.slice(-20).join('\n');
  }

  async #wait<T>(what: string, timeoutMs: number, look: () => T | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        act();
      };
      const check = (): void => {
        try {
          const found = look();
          if (found !== undefined) finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(error as Error));
        }
      };
      const timer = setTimeout(() => {
        finish(() => reject(new Error(`${what} did not come within ${timeoutMs} ms\n${this.#tail()}`)));
      }, timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }
}

function describe({ code, signal }: ProcessExit): string {
  return signal === null ? `exit code ${String(code)}` : signal;
}
