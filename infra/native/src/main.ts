import { resolve } from 'node:path';
import { CommandLineError, numberOption, parseCommandLine } from './command-line';
import { down } from './commands/down';
import { serversUp } from './commands/servers-up';
import { Servers } from './servers/catalogue';
import { PlainFault } from './servers/server';
import { openStack } from './stack';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(argv: readonly string[]): Promise<void> {
  const line = parseCommandLine(argv);
  const stack = openStack({
    root: resolve(__dirname, '../../..'),
    name: line.values.stack,
    portBase: numberOption(line, 'port-base', 1024, 65_235),
  });
  if (line.command === 'up') return serversUp(new Servers(stack), say);
  if (line.command === 'down') return down(stack, { purge: line.flags.has('purge') }, say);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const plain = error instanceof PlainFault || error instanceof CommandLineError;
  process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
});
