import { join } from 'node:path';
import type { ControlReply, ControlRequest } from './control';
import type { ProcessSpec } from './process-spec';
import type { RestartRules } from './restart-policy';
import { SupervisedProcess } from './supervised-process';

export interface SupervisorOptions {
  readonly logDir: string;
  readonly graceMs?: number;
  readonly rules?: RestartRules;
  readonly say: (sentence: string, fields: Record<string, unknown>) => void;
  readonly changed?: (processes: readonly SupervisedProcess[]) => void;
}

/** The fleet: which processes there should be, and that they are. */
export class Supervisor {
  private readonly processes = new Map<string, SupervisedProcess>();

  constructor(private readonly options: SupervisorOptions) {}

  async handle(request: ControlRequest): Promise<ControlReply> {
    if (request.command === 'apply') await this.apply(request.processes);
    else if (request.command === 'stop') await this.stop();
    else if (request.command !== 'status') {
      const process = this.processes.get(request.name);
      if (process === undefined) return { ok: false, error: `There is no process "${request.name}"` };
      if (request.command === 'restart') await process.restart();
      else if (request.command === 'stop-one') await process.stop();
      else process.start();
    }
    return { ok: true, processes: [...this.processes.values()].map((process) => process.status()) };
  }

  /** Starts what is new, stops what is no longer wanted, restarts what changed or had been given up. */
  async apply(wanted: readonly ProcessSpec[]): Promise<void> {
    const byName = new Map(wanted.map((spec) => [spec.name, spec]));
    const leaving = [...this.processes.values()].filter((process) => {
      const spec = byName.get(process.spec.name);
      return spec === undefined || !same(spec, process.spec);
    });
    await Promise.all(
      leaving.map(async (process) => {
        await process.stop();
        this.processes.delete(process.spec.name);
      }),
    );
    for (const spec of wanted) {
      const known = this.processes.get(spec.name);
      if (known === undefined) this.add(spec).start();
      else if (known.status().state === 'given up') await known.restart();
      else if (known.status().state === 'stopped') known.start();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.processes.values()].map((process) => process.stop()));
  }

  private add(spec: ProcessSpec): SupervisedProcess {
    const { logDir, graceMs, rules, say } = this.options;
    const process = new SupervisedProcess(spec, {
      logFile: join(logDir, `${spec.name}.log`),
      graceMs: graceMs ?? 6000,
      ...(rules === undefined ? {} : { rules }),
      say,
      changed: () => this.options.changed?.([...this.processes.values()]),
    });
    this.processes.set(spec.name, process);
    return process;
  }
}

function same(a: ProcessSpec, b: ProcessSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
