import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** As the supervisor is told of it (infra/native). */
export interface ProcessSpec {
  readonly name: string;
  readonly cwd: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Runs in a process of its own, with the built infra/native of one checkout: two versions of a program cannot be loaded
 * side by side, and the older one has no command for this. `view` is the stack of the older checkout seen with the files of
 * the other: the same ports, data and secrets.
 */
const PROGRAM = `
const [home, root, name, what, file] = process.argv.slice(1);
const at = (path) => require(home + '/infra/native/dist/' + path);
const { openStack } = at('stack.js');
const { Servers } = at('servers/catalogue.js');
const view = new Servers({ ...openStack({ root, name }), root: home });
const options = JSON.parse(require('node:fs').readFileSync(view.stack.dir + '/fleet-options.json', 'utf8'));
const run = {
  specs: async () => at('fleet.js').fleetOf(view, options).processes,
  fill: async () => {
    const { postgres, kafka, rabbit, redisPool, redisCache } = view;
    for (const server of [postgres, kafka, rabbit, redisPool, redisCache]) await server.fill();
  },
  apply: async () => {
    const processes = JSON.parse(require('node:fs').readFileSync(file, 'utf8'));
    const reply = await at('supervisor/control.js').askSupervisor(view.stack.dir, { command: 'apply', processes });
    if (reply === undefined || !reply.ok) throw new Error(reply ? reply.error : 'no supervisor');
  },
};
run[what]().then(
  (answer) => process.stdout.write('\\n' + JSON.stringify(answer ?? null), () => process.exit(0)),
  (error) => { process.stderr.write(String(error.stack)); process.exit(1); },
);
`;

/** The stack of an older checkout, in the hands of either version. */
export class FleetHands {
  constructor(
    private readonly oldRoot: string,
    private readonly stack: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** The processes as that version's checkout would start them now. */
  async specs(home: string): Promise<ProcessSpec[]> {
    return (await this.#run(home, 'specs')) as ProcessSpec[];
  }

  /** Accounts, topics and rights that the version in `home` wants and the older one did not know. */
  async fill(home: string): Promise<void> {
    await this.#run(home, 'fill');
  }

  /** Whatever differs from what runs is stopped in good order and started as it is here. */
  async apply(processes: readonly ProcessSpec[]): Promise<void> {
    const file = join(this.oldRoot, '.sociograph', this.stack, 'run', 'wanted.processes');
    writeFileSync(file, JSON.stringify(processes), { mode: 0o600 });
    await this.#run(this.oldRoot, 'apply', file);
  }

  #run(home: string, what: string, file = ''): Promise<unknown> {
    const words = ['-e', PROGRAM, home, this.oldRoot, this.stack, what, file];
    return new Promise((resolve, reject) => {
      const env = { ...process.env, ...this.env };
      execFile(process.execPath, words, { env, maxBuffer: 1 << 26, cwd: home }, (error, stdout, stderr) => {
        if (error !== null) return reject(new Error(`${what}: ${stderr.trim() || error.message}`));
        resolve(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? 'null'));
      });
    });
  }
}
