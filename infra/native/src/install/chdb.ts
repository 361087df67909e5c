import { homedir } from 'node:os';
import { join } from 'node:path';
import { find, run } from '../run-command';
import { PlainFault } from '../servers/server';
import { once } from './maven';

/** ClickHouse's engine as a library of Python; the engine itself is `chdb-core`. */
const VERSION = '4.4.0';
const ENGINE = '26.9.0';

/**
 * Installs chdb from PyPI into the cache of this user, once (half a minute, 560 MB), and answers the folder with its
 * modules. Without what it depends on for data frames (pandas, pyarrow: 330 MB more), which nobody here uses.
 */
async function installChdb(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'sociograph', `chdb-${VERSION}`);
  const python = find('python3');
  if (python === undefined) throw new PlainFault('chdb needs Python: install `python3` and `python3-venv`.');
  await once(folder, async (draft) => {
    // A virtual environment cannot be renamed; what pip puts into a plain folder can.
    const environment = join(draft, 'venv');
    await run(python, ['-m', 'venv', environment]).catch((error: Error) => {
      throw new PlainFault(`install \`python3-venv\`: ${error.message}`);
    });
    const pip = join(environment, 'bin', 'pip');
    const packages = [`chdb==${VERSION}`, `chdb-core==${ENGINE}`];
    await run(pip, ['install', '-q', '--no-deps', '--target', join(draft, 'site'), ...packages]);
    await run('rm', ['-rf', environment]);
  });
  return join(folder, 'site');
}

/** `node infra/native/dist/install/chdb.js` prints the folder. */
installChdb().then(
  (folder) => process.stdout.write(`${folder}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
