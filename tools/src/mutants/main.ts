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
  /** Copies of the repository that are worked on side by side: specs wait for servers more than they compute. */
  jobs: number;
}

/** Breaks the code in small ways, one at a time, and tells which ones no spec of the same project notices. */
async function main(options: Options): Promise<void> {
  process.stdout.write(`seed ${options.seed}\n`);
  const texts = new Map(targets(options.only).map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
  const groups = [...texts].map(([path, text]) => mutationsOf(path, text));
  const chosen = chooseEvenly(groups, options.count, seededNumbers(options.seed));
  const stack = new TestStack();
  const needServers = startingOnce(stack);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
      killChildren('SIGKILL');
    });
  }
  let killed = 0;
  let tried = 0;
  const left = [...chosen];
  const work = async (): Promise<void> => {
    const copy = new ScratchCopy();
    try {
      const judge = new Judge(copy, stack, needServers, options.unitOnly);
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const text = texts.get(next.path) ?? '';
        const caught = await isCaught(next, text, judge, copy);
        if (interrupted) throw new Error('interrupted');
        tried += 1;
        if (caught) killed += 1;
        const survivor = caught ? '' : `\n${diffOf(text, next)}`;
        process.stdout.write(
          `${tried}/${chosen.length} ${caught ? 'caught' : 'SURVIVED'} ${place(next)}${survivor}\n`,
        );
      }
    } finally {
      copy.remove();
    }
  };
  try {
    const ends = await Promise.allSettled(Array.from({ length: options.jobs }, work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    await stack.stop();
  }
  const share = chosen.length === 0 ? 0 : killed / chosen.length;
  process.stdout.write(`${killed}/${chosen.length} mutants caught (${(share * 100).toFixed(0)} %)\n`);
  if (share < BAR) process.exitCode = 1;
}

let interrupted = false;

function startingOnce(stack: TestStack): () => Promise<void> {
  let start: Promise<void> | undefined;
  return () => {
    start ??= stack.start().then(({ failed }) => {
      if (failed > 0) throw new Error('the servers of the test stack did not start');
    });
    return start;
  };
}

/** Files whose behaviour must be pinned by specs. */
function targets(only: string): string[] {
  const isTarget = /^(services\/[^/]+\/src\/(domain|application)|libs\/(messaging|auth)\/src)\//;
  const isSource = (path: string): boolean =>
    path.endsWith('.ts') && !/(\.spec|\.d)\.ts$/.test(path) && isTarget.test(path) && path.startsWith(only);
  return ['services', 'libs'].flatMap((folder) => filesBelow(folder, isSource));
}

async function isCaught(mutation: Mutation, text: string, judge: Judge, copy: ScratchCopy): Promise<boolean> {
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

function place({ path, line, kind }: Mutation): string {
  return `${path}:${line} (${kind})`;
}

function optionsOf(args: string[]): Options {
  const options: Options = {
    count: 50,
    seed: Math.floor(Math.random() * 1e9),
    only: '',
    unitOnly: false,
    jobs: 2,
  };
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--unit-only') options.unitOnly = true;
    else if (word === '--only') options.only = rest.shift() ?? '';
    else if (word === '--count' || word === '--seed' || word === '--jobs') {
      const value = Number(rest.shift());
      if (!Number.isInteger(value) || value < 0) throw new Error(`${word} needs a whole number`);
      options[word.slice(2) as 'count' | 'seed' | 'jobs'] = value;
    } else
      throw new Error(`unknown word ${word}: [--count N] [--seed S] [--jobs N] [--only PATH] [--unit-only]`);
  }
  return options;
}

Promise.resolve()
  .then(() => main(optionsOf(process.argv.slice(2))))
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
