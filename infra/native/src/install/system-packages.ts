import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { find, run } from '../run-command';
import { PlainFault, type Requirement } from '../servers/server';

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs what is missing with apt, all in one call. Packages of servers would start their service on the default
 * port at once; a policy file says no to that while apt runs.
 */
export async function installMissing(
  needs: readonly { server: string; requirement: Requirement }[],
  say: (line: string) => void,
): Promise<void> {
  const missing = needs.filter(({ requirement }) => requirement.found() === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap(({ requirement }) => requirement.packages))].sort();
  const prefix = find('apt-get') === undefined ? undefined : await rightToInstall();
  if (prefix === undefined) throw new PlainFault(missing.map(sentence).join('\n'));

  say(`installing ${packages.join(' ')}`);
  const guard = prefix.length === 0 && !existsSync(POLICY);
  if (guard) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await apt(prefix, packages);
  } catch (error) {
    throw new PlainFault(`${(error as Error).message}\n${missing.map(sentence).join('\n')}`);
  } finally {
    if (guard) rmSync(POLICY, { force: true });
  }
  const still = missing.filter(({ requirement }) => requirement.found() === undefined);
  if (still.length > 0) throw new PlainFault(still.map(sentence).join('\n'));
}

async function apt(prefix: readonly string[], packages: readonly string[]): Promise<void> {
  const command = (args: readonly string[]): Promise<string> => {
    const line = [
      ...prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-q',
      '-o',
      'DPkg::Lock::Timeout=300',
      ...args,
    ];
    return run(line[0] as string, line.slice(1));
  };
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  try {
    await command(install);
  } catch {
    // Mostly a fresh image without package lists, or lists that are too old.
    await command(['update']);
    await command(install);
  }
}

/** Words to put before apt-get: none as root, `sudo` where it asks no password; undefined when we may not install. */
async function rightToInstall(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if (find('sudo') === undefined) return undefined;
  try {
    await run('sudo', ['-n', 'true']);
    return ['sudo', '-n'];
  } catch {
    return undefined;
  }
}

function sentence({ server, requirement }: { server: string; requirement: Requirement }): string {
  return `${server} is not installed and cannot be installed from here: ${requirement.wayOut}`;
}
