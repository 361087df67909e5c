import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { runNode } from '../run-child';
import type { TestStack } from '../test/test-stack';
import type { ScratchCopy } from './scratch-copy';

type SpecKind = 'unit' | 'component';

/** Time limits below this would judge the machine, not the mutant. */
const MIN_LIMIT_MS = 15_000;
/** A mutant may take this much longer than the unmutated specs before it counts as caught by its slowness. */
const LIMIT_FACTOR = 3;

/** Runs a project's own specs in the scratch copy, unmutated first to know that they pass and how long they take. */
export class Judge {
  private readonly limits = new Map<string, number>();
  constructor(
    private readonly copy: ScratchCopy,
    private readonly stack: TestStack,
    private readonly needServers: () => Promise<void>,
    private readonly unitOnly: boolean,
  ) {}

  /** True when a spec of the project fails, or takes three times as long, with what now stands in the copy. */
  async catches(project: string, unmutated: (work: () => Promise<void>) => Promise<void>): Promise<boolean> {
    for (const kind of this.unitOnly ? (['unit'] as const) : (['unit', 'component'] as const)) {
      const folder = join(project, kind === 'unit' ? 'src' : 'test');
      if (!existsSync(join(ROOT, folder))) continue;
      if (kind === 'component') await this.needServers();
      const key = `${kind} ${project}`;
      if (!this.limits.has(key)) await unmutated(() => this.measure(key, kind, folder));
      const { code, timedOut } = await this.specs(kind, folder, this.limits.get(key));
      if (code !== 0 || timedOut) return true;
    }
    return false;
  }

  private async measure(key: string, kind: SpecKind, folder: string): Promise<void> {
    const startedAt = performance.now();
    const { code, output } = await this.specs(kind, folder);
    if (code !== 0) throw new Error(`the ${kind} specs of ${folder} fail without any mutation:\n${output}`);
    const tookMs = performance.now() - startedAt;
    this.limits.set(key, Math.max(MIN_LIMIT_MS, LIMIT_FACTOR * tookMs));
  }

  private specs(kind: SpecKind, folder: string, limitMs?: number): ReturnType<typeof runNode> {
    const program = join(ROOT, 'node_modules/jest/bin/jest.js');
    const args = [
      '--config',
      'jest.config.js',
      '--selectProjects',
      kind,
      '--runInBand',
      '--bail',
      '--silent',
    ];
    return runNode([program, `${folder}/`, ...args, '--passWithNoTests'], {
      cwd: this.copy.root,
      env: { NODE_ENV: 'test', SOCIOGRAPH_TEST_ENV: this.stack.environmentFile },
      output: 'collect',
      ...(limitMs === undefined ? {} : { limitMs }),
    });
  }
}
