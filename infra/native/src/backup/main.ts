import { join, resolve } from 'node:path';
import { withLock } from '../lock';
import { Servers } from '../servers/catalogue';
import { PlainFault } from '../servers/server';
import { openStack } from '../stack';
import { BACKUP_USAGE, backupCommand, BackupRefused } from './arguments';
import { openBackup } from './manifest';
import { saveKeys } from './platform-keys';
import { takeBackup, takeErasures } from './take-backup';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** Whatever is written by this program and by those that it starts is for its owner alone. */
const OWNER_ONLY = 0o077;

async function main(argv: readonly string[]): Promise<void> {
  const command = backupCommand(argv, process.env['SOCIOGRAPH_STACK']);
  if (command.kind === 'help') return say(BACKUP_USAGE);
  if (command.kind === 'verify') {
    const { files, holdsUntil } = await openBackup(resolve(command.from));
    return say(`${files.length} files are as they were written; everything until ${holdsUntil} is in them.`);
  }
  const stack = openStack({ root: resolve(__dirname, '../../../..'), name: command.stack });
  const servers = new Servers(stack);
  if (command.kind === 'erasures')
    return say(`${await takeErasures(servers, command.to)} erased people are noted.`);
  const { to, keysTo } = command;
  if (keysTo !== undefined) saveKeys(join(stack.dir, 'secrets'), keysTo, to);
  // Not beside an `up` that makes or changes what is read.
  await withLock(stack, () => takeBackup(servers, to, say));
}

process.umask(OWNER_ONLY);
main(process.argv.slice(2)).catch((error: unknown) => {
  const plain = error instanceof PlainFault || error instanceof BackupRefused;
  process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
});
