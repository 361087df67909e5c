import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../repository';
import { killChildren } from '../run-child';
import { TestStack } from '../test/test-stack';
import { chooseEvenly, seededNumbers } from './choice';
import { Judge } from './judge';
import { apply, diffOf, mutationsOf, type Mutation } from './mutations';
import { ScratchCopy } from './scratch-copy';

/** Share of mutants that specs must catch. */
const BAR = 0.8;

interface Options {
  count: number;
  seed: number;
  only: string;
  unitOnly: boolean;
}

/** Breaks the code in small ways, one at a time, and tells which ones no spec of the same project notices. */
async function main(options: Options): Promise<void> {
  process.stdout.write(`seed ${options.seed}\n`);
  const texts = new Map(targets(options.only).map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
  const groups = [...texts].map(([path, text]) => mutationsOf(path, text));
  const chosen = chooseEvenly(groups, options.count, seededNumbers(options.seed));
  const stack = new TestStack();
  const copy = new ScratchCopy();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
      killChildren('SIGKILL');
    });
  }
  try {
    const judge = new Judge(copy, stack, options.unitOnly);
    let killed = 0;
    for (const [index, mutation] of chosen.entries()) {
      const text = texts.get(mutation.path) ?? '';
      const caught = await tried(mutation, text, judge, copy);
      if (interrupted) throw new Error('interrupted');
      if (caught) killed += 1;
      else report(mutation, text);
      process.stdout.write(
        `${index + 1}/${chosen.length} ${caught ? 'caught' : 'SURVIVED'} ${place(mutation)}\n`,
      );
    }
    const share = chosen.length === 0 ? 0 : killed / chosen.length;
    process.stdout.write(`${killed}/${chosen.length} mutants caught (${(share * 100).toFixed(0)} %)\n`);
    if (share < BAR) process.exitCode = 1;
  } finally {
    copy.remove();
    await stack.stop();
  }
}

/** Files whose behaviour must be pinned by specs. */
function targets(only: string): string[] {
  const isTarget = /^(services\/[^/]+\/src\/(domain|application)|libs\/(messaging|auth)\/src)\//;
  const isSource = (path: string): boolean =>
    path.endsWith('.ts') && !/(\.spec|\.d)\.ts$/.test(path) && isTarget.test(path) && path.startsWith(only);
  return ['services', 'libs'].flatMap((folder) => filesBelow(folder, isSource));
}

async function tried(mutation: Mutation, text: string, judge: Judge, copy: ScratchCopy): Promise<boolean> {
  const project = mutation.path.split('/').slice(0, 2).join('/');
  const mutated = apply(text, mutation);
  copy.write(mutation.path, mutated);
  try {
    return await judge.catches(project, async (work) => {
      copy.write(mutation.path, text);
      await work();
      copy.write(mutation.path, mutated);
    });
  } finally {
    copy.write(mutation.path, text);
  }
}

function report(mutation: Mutation, text: string): void {
  process.stdout.write(`${place(mutation)}\n${diffOf(text, mutation)}\n`);
}

function place({ path, line, kind }: Mutation): string {
  return `${path}:${line} (${kind})`;
}

function optionsOf(args: string[]): Options {
  const options: Options = { count: 50, seed: Math.floor(Math.random() * 1e9), only: '', unitOnly: false };
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--unit-only') options.unitOnly = true;
    else if (word === '--only') options.only = rest.shift() ?? '';
    else if (word === '--count' || word === '--seed') {
      const value = Number(rest.shift());
      if (!Number.isInteger(value) || value < 0) throw new Error(`${word} needs a whole number`);
      options[word === '--count' ? 'count' : 'seed'] = value;
    } else throw new Error(`unknown word ${word}: [--count N] [--seed S] [--only PATH] [--unit-only]`);
  }
  return options;
}

Promise.resolve()
  .then(() => main(optionsOf(process.argv.slice(2))))
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
