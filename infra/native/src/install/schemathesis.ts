import { homedir } from 'node:os';
import { join } from 'node:path';
import { find, run } from '../run-command';
import { PlainFault } from '../servers/server';
import { once } from './maven';

/** Makes requests from OpenAPI documents, right and wrong ones, and compares the answers with the documents. */
const VERSION = '4.32.5';

/**
 * Installs schemathesis from PyPI into the cache of this user, once (half a minute, 120 MB), and answers the folder that
 * PYTHONPATH must name; `python3 -m schemathesis.cli` starts it then. Needs Python 3.11.
 */
async function installSchemathesis(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'sociograph', `schemathesis-${VERSION}`);
  const python = find('python3');
  if (python === undefined)
    throw new PlainFault('schemathesis needs Python 3.11: install `python3` and `python3-venv`.');
  await once(folder, async (draft) => {
    // A virtual environment cannot be renamed; what pip puts into a plain folder can.
    const environment = join(draft, 'venv');
    await run(python, ['-m', 'venv', environment]).catch((error: Error) => {
      throw new PlainFault(`install \`python3-venv\`: ${error.message}`);
    });
    const pip = join(environment, 'bin', 'pip');
    await run(pip, ['install', '-q', '--target', join(draft, 'site'), `schemathesis==${VERSION}`]);
    await run('rm', ['-rf', environment]);
  });
  return join(folder, 'site');
}

/** `node infra/native/dist/install/schemathesis.js` prints the folder. */
installSchemathesis().then(
  (folder) => process.stdout.write(`${folder}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
