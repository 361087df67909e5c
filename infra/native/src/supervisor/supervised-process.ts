import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import type { ProcessState, ProcessStatus } from './control';
import type { ProcessSpec } from './process-spec';
import { RestartPolicy, type RestartRules, USUAL_RULES } from './restart-policy';

const LOG_LIMIT_BYTES = 32 * 1024 * 1024;

export interface SupervisionOptions {
  readonly logFile: string;
  /** Time between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly rules?: RestartRules;
  readonly say: (sentence: string, fields: Record<string, unknown>) => void;
  /** Called after every change of state or process id. */
  readonly changed: () => void;
}

/** One process that is kept alive until somebody stops it. Output goes straight to a file, so it survives us. */
export class SupervisedProcess {
  private child: ChildProcess | undefined;
  private timer: NodeJS.Timeout | undefined;
  private state: ProcessState = 'stopped';
  private startedAt = 0;
  private restarts = 0;
  private lastExit: string | undefined;
  private readonly policy: RestartPolicy;

  constructor(
    readonly spec: ProcessSpec,
    private readonly options: SupervisionOptions,
  ) {
    this.policy = new RestartPolicy(options.rules ?? USUAL_RULES);
  }

  status(): ProcessStatus {
    const { spec, state, restarts, lastExit } = this;
    return {
      name: spec.name,
      state,
      pid: state === 'running' ? this.child?.pid : undefined,
      restarts,
      lastExit,
    };
  }

  start(): void {
    if (this.state === 'running' || this.state === 'starting') return;
    clearTimeout(this.timer);
    this.become('starting');
    this.rotateLog();
    const log = openSync(this.options.logFile, 'a');
    const { command, args, cwd, env } = this.spec;
    const child = spawn(command, [...args], {
      cwd,
      env: { ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.child = child;
    this.startedAt = performance.now();
    child.once('spawn', () => this.become('running'));
    child.once('error', (error) => this.ended(child, error.message));
    child.once('exit', (code, signal) => this.ended(child, signal ?? `exit code ${code}`));
  }

  /** Started anew by hand, also when it was given up. */
  async restart(): Promise<void> {
    await this.stop();
    this.policy.forget();
    this.restarts += 1;
    this.start();
  }

  /** SIGTERM, then SIGKILL to the whole group after the grace time; resolves when the process is gone. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const child = this.child;
    this.become('stopped');
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const group = -child.pid;
    await new Promise<void>((resolve) => {
      const hard = setTimeout(() => {
        this.options.say('Process ignored SIGTERM and is killed', { name: this.spec.name });
        signalGroup(group, 'SIGKILL');
      }, this.options.graceMs);
      child.once('exit', () => {
        clearTimeout(hard);
        resolve();
      });
      signalGroup(group, 'SIGTERM');
    });
  }

  private ended(child: ChildProcess, how: string): void {
    if (this.child !== child) return; // A predecessor: its successor is already running.
    this.child = undefined;
    this.lastExit = how;
    if (this.state === 'stopped') {
      this.options.changed();
      return;
    }
    const verdict = this.policy.died(performance.now(), performance.now() - this.startedAt);
    if (verdict.kind === 'give-up') {
      this.become('given up');
      this.options.say('Process died too often and is given up', {
        name: this.spec.name,
        how,
        deaths: verdict.deaths,
      });
      return;
    }
    this.restarts += 1;
    this.become('waiting');
    this.options.say('Process ended and is restarted', {
      name: this.spec.name,
      how,
      delayMs: verdict.delayMs,
    });
    this.timer = setTimeout(() => this.start(), verdict.delayMs);
  }

  private become(state: ProcessState): void {
    if (this.state === 'stopped' && state === 'running') return; // Stopped between spawn and its event.
    this.state = state;
    this.options.changed();
  }

  private rotateLog(): void {
    try {
      const { logFile } = this.options;
      if (statSync(logFile).size > LOG_LIMIT_BYTES) renameSync(logFile, `${logFile}.1`);
    } catch {
      // No log yet.
    }
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(group, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}
