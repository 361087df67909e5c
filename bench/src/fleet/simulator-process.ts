import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ProcessHandle } from '@sociograph/testing';
import { ROOT } from './servers';

const PROGRAM = join(ROOT, 'infra/vk-simulator/dist/main.js');

export interface SimulatedToken {
  name: string;
  token: string;
  kind: 'user' | 'service' | 'community';
  perSecond: number;
}

interface Tally {
  count: number;
  times: number[];
}

export interface SimulatorStats {
  totals: { served: number; refused: number; probes: number };
  keys: {
    key: string;
    perSecond: number;
    methods: Record<string, { served: Tally; refused: Tally }>;
  }[];
  /** The simulator's clock, ms. */
  clock: number;
  eventLoopLagMs: { mean: number; p99: number; max: number };
}

/** One strict simulator with a small graph and generated keys, in a process of its own. */
export class SimulatorProcess {
  private constructor(
    readonly url: string,
    readonly tokens: readonly SimulatedToken[],
    private readonly handle: ProcessHandle,
    private readonly folder: string,
  ) {}

  /** `flags` without the dashes: {jitter: '20', window: 'sliding'}. */
  static async start(flags: Readonly<Record<string, string>>): Promise<SimulatorProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'bench-simulator-'));
    const graph = join(folder, 'graph.txt');
    writeFileSync(graph, '1 2\n2 3\n3 1\n');
    const tokensFile = join(folder, 'tokens.json');
    const port = await freePort();
    const all = { ...flags, graph, port: String(port), 'tokens-file': tokensFile };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
    const env = { PATH: process.env['PATH'] };
    const handle = new ProcessHandle({ command: process.execPath, args: [PROGRAM, ...args], env });
    await handle.start();
    await handle.waitFor(/vk-simulator: \d+ people/);
    const tokens = JSON.parse(readFileSync(tokensFile, 'utf8')) as SimulatedToken[];
    return new SimulatorProcess(`http://127.0.0.1:${port}`, tokens, handle, folder);
  }

  get baseUrl(): string {
    return `${this.url}/method`;
  }

  async stats(times = false): Promise<SimulatorStats> {
    return (await this.ask(times ? '/stats?times=1' : '/stats')) as SimulatorStats;
  }

  /** `reset`, or `network?jitter=100`: see the simulator's README. */
  control(page: string): Promise<unknown> {
    return this.ask(`/${page}`, 'POST');
  }

  async stop(): Promise<void> {
    await this.handle.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask(path: string, method = 'GET'): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { method });
    if (!response.ok) throw new Error(`the simulator answered ${response.status} to ${method} ${path}`);
    return response.json();
  }
}
