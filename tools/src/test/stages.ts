import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { runNode } from '../run-child';
import { countsOf, type Counts, type JestResults } from './counts';
import type { TestStack } from './test-stack';

export interface Stage {
  name: string;
  /** Needs the servers of the test stack. */
  needsServers: boolean;
  run(env: NodeJS.ProcessEnv): Promise<Counts>;
}

const modules = (path: string): string => join(ROOT, 'node_modules', path);

/** Quickest first, so that a slip is shown before the servers start. */
export function stagesOf(stack: TestStack): Stage[] {
  return [
    command('format', [modules('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']),
    command('generated files', [join(ROOT, 'tools/dist/gen/main.js'), '--check']),
    command('types', [modules('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']),
    command('lint', [modules('eslint/bin/eslint.js'), '--max-warnings', '0', '.'], { NX_DAEMON: 'false' }),
    jest('unit specs', 'unit', []),
    { name: 'servers', needsServers: true, run: () => stack.start() },
    jest('component specs', 'component', ['--runInBand'], true),
    jest('end-to-end specs', 'e2e', ['--runInBand'], true),
  ];
}

/** A program that says all by its exit code; it counts as one check. */
function command(name: string, args: string[], env: NodeJS.ProcessEnv = {}): Stage {
  return {
    name,
    needsServers: false,
    async run(shared) {
      const { code } = await runNode(args, { env: { ...shared, ...env }, output: 'inherit' });
      return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
    },
  };
}

function jest(name: string, project: string, args: string[], needsServers = false): Stage {
  return {
    name,
    needsServers,
    async run(env) {
      const folder = mkdtempSync(join(tmpdir(), 'sociograph-jest-'));
      const file = join(folder, 'results.json');
      const options = ['--silent=passed-only', '--forceExit', '--json', '--outputFile', file, ...args];
      try {
        const program = modules('jest/bin/jest.js');
        const { code } = await runNode([program, '--selectProjects', project, ...options], {
          env: { ...env, NODE_ENV: 'test' },
          output: 'inherit',
        });
        // A jest that dies before it reports has failed, whatever its exit code.
        if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
        const counts = countsOf(JSON.parse(readFileSync(file, 'utf8')) as JestResults);
        const unexplained = counts.failed === 0 && (code !== 0 || counts.passed === 0);
        return unexplained ? { ...counts, failed: 1 } : counts;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
