import { homedir } from 'node:os';
import { join } from 'node:path';
import { find, run } from '../run-command';
import { PlainFault } from '../servers/server';
import { once } from './maven';

/** An emulator of AWS' APIs that others wrote: the adapters of KMS and S3 are tried against it. */
const VERSION = '5.2.5';

/**
 * Installs moto from PyPI into the cache of this user, once (half a minute, 320 MB), and answers the folder that
 * PYTHONPATH must name; `python3 -m moto.server` starts it then.
 */
async function installMoto(): Promise<string> {
  const folder = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'sociograph',
    `moto-${VERSION}`,
  );
  const python = find('python3');
  if (python === undefined) throw new PlainFault('moto needs Python: install `python3` and `python3-venv`.');
  await once(folder, async (draft) => {
    // A virtual environment cannot be renamed; what pip puts into a plain folder can.
    const environment = join(draft, 'venv');
    await run(python, ['-m', 'venv', environment]).catch((error: Error) => {
      throw new PlainFault(`install \`python3-venv\`: ${error.message}`);
    });
    const pip = join(environment, 'bin', 'pip');
    await run(pip, ['install', '-q', '--target', join(draft, 'site'), `moto[server]==${VERSION}`]);
    await run('rm', ['-rf', environment]);
  });
  return join(folder, 'site');
}

/** `node infra/native/dist/install/moto.js` prints the folder. */
installMoto().then(
  (folder) => process.stdout.write(`${folder}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
