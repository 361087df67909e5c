import { resolve } from 'node:path';
import { withLock } from '../lock';
import { Servers } from '../servers/catalogue';
import { PlainFault } from '../servers/server';
import { openStack } from '../stack';
import { BackupRefused, RESTORE_USAGE, restoreCommand } from './arguments';
import { restoreBackup } from './restore-backup';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(argv: readonly string[]): Promise<void> {
  const command = restoreCommand(argv, process.env['SOCIOGRAPH_STACK']);
  if (command === 'help') return say(RESTORE_USAGE);
  const stack = openStack({
    root: resolve(__dirname, '../../../..'),
    name: command.stack,
    portBase: command.portBase,
    environment: process.env,
  });
  await withLock(stack, () => restoreBackup(new Servers(stack), command, say));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const plain = error instanceof PlainFault || error instanceof BackupRefused;
  process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
});
