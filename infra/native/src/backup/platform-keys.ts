import { createHmac } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { PlainFault } from '../servers/server';

/**
 * Without these a backup is of no use: what opens tokens, what recognises erased people, what proves the audit trail. They
 * never lie beside it: who has a backup alone must not be able to open a token.
 */
export const PLATFORM_KEYS = ['kms-master-key', 'suppression-key', 'audit-key'] as const;

/** Says of two keys whether they are the same, and nothing of what they are. */
export function fingerprintsOf(secrets: string): Record<string, string> {
  return Object.fromEntries(
    PLATFORM_KEYS.filter((name) => existsSync(join(secrets, name))).map((name) => [
      name,
      createHmac('sha256', readFileSync(join(secrets, name), 'utf8').trim())
        .update('sociograph backup')
        .digest('hex')
        .slice(0, 16),
    ]),
  );
}

/** Copies the keys into a folder of their own, which must not be the backup's. */
export function saveKeys(secrets: string, folder: string, backup: string): void {
  for (const [inner, outer] of [
    [folder, backup],
    [backup, folder],
  ])
    if (isInside(inner as string, outer as string))
      throw new PlainFault(
        'The keys must not lie with the backup: who finds both can open every token. Give --keys-to a folder elsewhere.',
      );
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of PLATFORM_KEYS.filter((each) => existsSync(join(secrets, each)))) {
    copyFileSync(join(secrets, name), join(folder, name));
    chmodSync(join(folder, name), 0o600);
  }
}

/**
 * Puts keys in place where the stack has none yet, then makes sure that they are those of the backup. A stack that was started
 * before has keys of its own: with them nothing that is restored could be opened.
 */
export function placeKeys(
  secrets: string,
  folder: string | undefined,
  wanted: Readonly<Record<string, string>>,
): void {
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  for (const name of Object.keys(wanted)) {
    const source = folder === undefined ? undefined : join(folder, name);
    if (source === undefined || !existsSync(source) || existsSync(join(secrets, name))) continue;
    copyFileSync(source, join(secrets, name));
    chmodSync(join(secrets, name), 0o600);
  }
  const have = fingerprintsOf(secrets);
  for (const [name, fingerprint] of Object.entries(wanted)) {
    if (have[name] === undefined)
      throw new PlainFault(
        `The key "${name}" is not there: say where the keys of this backup are (--keys FOLDER).`,
      );
    if (have[name] !== fingerprint)
      throw new PlainFault(
        `The key "${name}" in ${secrets} is not the one that this backup was made with. ` +
          'Restore into a stack that is new, with --keys and the folder of the right ones.',
      );
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way === '' || (!way.startsWith('..') && resolve(folder, way) === resolve(path));
}
