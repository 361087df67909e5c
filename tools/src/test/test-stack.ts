import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { runNode } from '../run-child';
import type { Counts } from './counts';

const NATIVE = join(ROOT, 'infra/native/dist/main.js');
/** Tried in turn; all below 32768, from where on the kernel gives ports to outgoing connections. */
const BASES = [28_000, 29_000, 30_000, 31_000, 26_000, 25_000];
/** Ports of the servers are the first of a stack's block. */
const SERVER_PORTS = 30;

/**
 * The servers that specs run against. A stack that runs already is used and left as it was found; one that was
 * started here is ended and its data removed, whatever happened in between.
 */
export class TestStack {
  private started = false;

  constructor(private readonly name = process.env['SOCIOGRAPH_TEST_STACK'] ?? 'test') {}

  /** Where the addresses and accounts of the servers stand once they run. */
  get environmentFile(): string {
    return join(ROOT, '.sociograph', this.name, 'env.json');
  }

  async start(): Promise<Counts> {
    if (await this.runs()) {
      process.stdout.write(`stack "${this.name}" runs already: it is used and left running\n`);
      return { passed: 1, failed: 0, skipped: 0 };
    }
    this.started = true;
    const base = await this.freeBase();
    const args = ['up', '--stack', this.name, '--servers-only', '--port-base', String(base)];
    const { code } = await runNode([NATIVE, ...args], { output: 'inherit' });
    return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
  }

  /** Ends what was started here, and removes its data. */
  async stop(): Promise<Counts> {
    if (!this.started) return { passed: 0, failed: 0, skipped: 0 };
    this.started = false;
    const down = [NATIVE, 'down', '--stack', this.name, '--purge'];
    const { code } = await runNode(down, { output: 'inherit', limitMs: 60_000 });
    return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  }

  private async runs(): Promise<boolean> {
    if (!existsSync(this.environmentFile)) return false;
    const { code } = await runNode([NATIVE, 'status', '--stack', this.name], { output: 'collect' });
    return code === 0;
  }

  /** The base that the stack had before if its servers still hold it, else the first whose ports are all free. */
  private async freeBase(): Promise<number> {
    const remembered = this.rememberedBase();
    for (const base of remembered === undefined ? BASES : [remembered, ...BASES]) {
      const ports = Array.from({ length: SERVER_PORTS }, (_, i) => base + i);
      const free = await Promise.all(ports.map(isFree));
      if (free.every(Boolean)) return base;
    }
    throw new Error(`no free block of ports among ${BASES.join(', ')}: end what listens there`);
  }

  private rememberedBase(): number | undefined {
    const file = join(ROOT, '.sociograph', this.name, 'stack.json');
    if (!existsSync(file)) return undefined;
    return (JSON.parse(readFileSync(file, 'utf8')) as { portBase?: number }).portBase;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
