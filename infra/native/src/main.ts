import { resolve } from 'node:path';
import { type CommandLine, CommandLineError, numberOption, parseCommandLine } from './command-line';
import { down, fleetDown } from './commands/down';
import { composeUp } from './commands/compose-up';
import { deadLetters } from './commands/dead-letters';
import { fleetUp } from './commands/fleet-up';
import { logs } from './commands/logs';
import { query } from './commands/query';
import { serversUp } from './commands/servers-up';
import { renderStatus, stackStatus } from './commands/status';
import { trace } from './commands/trace';
import { withStack } from './commands/with-stack';
import type { FleetOptions } from './fleet';
import { writeProcessFile } from './process-file';
import { ServerControl } from './server-control';
import { Servers } from './servers/catalogue';
import { PlainFault } from './servers/server';
import { MAX_SCALE, openStack, type Stack } from './stack';
import { askSupervisor } from './supervisor/control';
import { withLock } from './lock';

const HELP = `npm run up -- [--stack NAME] [--port-base N] [--servers-only] [--scale N]
               [--simulator-graph FILE|none] [--keys N] [--simulator "delay=80 jitter=20"]
npm run up -- --compose         in containers, by docker-compose.yml
npm run up -- restart NAME      a server or a process of the fleet
npm run down -- [--stack NAME] [--fleet-only | --purge]
npm run status -- [--stack NAME]
npm run logs -- [NAME] [-f] [--lines N]
npm run trace -- ID             the spans of a request, an import or a call as a tree
npm run query -- 'PROMQL'       what Prometheus says now
npm run dead-letters -- [PART OF A TOPIC] [--lines N]   why records were dead-lettered
npm run with -- 'COMMAND'       a shell's command, with the stack's addresses and accounts in its environment`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
// Who reads only the head of a tree or a log has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

async function main(argv: readonly string[]): Promise<void> {
  const line = parseCommandLine(argv);
  if (line.command === 'help' || line.flags.has('help')) return say(HELP);
  const stack = openStack({
    root: resolve(__dirname, '../../..'),
    name: line.flags.has('compose') ? 'compose' : line.values.stack,
    portBase: line.flags.has('compose') ? 20_000 : numberOption(line, 'port-base', 1024, 65_235),
    environment: line.command === 'up' && line.words.length === 0 ? process.env : undefined,
  });
  switch (line.command) {
    case 'up':
      return withLock(stack, () => up(stack, line));
    case 'down':
      return withLock(stack, () =>
        line.flags.has('fleet-only')
          ? fleetDown(stack, say)
          : down(stack, { purge: line.flags.has('purge') }, say),
      );
    case 'status':
      return status(stack);
    case 'logs': {
      const lines = numberOption(line, 'lines', 1, 100_000) ?? 50;
      return logs(stack, { name: line.words[0], lines, follow: line.flags.has('follow') }, say);
    }
    case 'trace':
      return trace(stack, line.words[0], say);
    case 'query':
      return query(new Servers(stack).prometheus.url(), line.words[0], say);
    case 'dead-letters': {
      const lines = numberOption(line, 'lines', 1, 100_000) ?? 20;
      return deadLetters(new Servers(stack), { of: line.words[0], lines }, say);
    }
    case 'with':
      process.exitCode = await withStack(stack, line.words);
      return;
    default:
      throw new CommandLineError(`Unknown command "${line.command}"\n${HELP}`);
  }
}

async function up(stack: Stack, line: CommandLine): Promise<void> {
  const [verb, name] = line.words;
  if (verb === 'restart' && name !== undefined) return restart(stack, name);
  if (verb !== undefined) throw new CommandLineError(`Unknown word "${line.words.join(' ')}"\n${HELP}`);
  if (line.flags.has('compose')) return composeUp(stack, line.words, say);
  const servers = new Servers(stack);
  await serversUp(servers, say);
  if (line.flags.has('servers-only')) {
    if ((await askSupervisor(stack.dir, { command: 'status' })) === undefined)
      writeProcessFile(stack.dir, []);
    return;
  }
  await fleetUp(servers, fleetOptions(line), say);
}

function fleetOptions(line: CommandLine): Partial<FleetOptions> {
  const scale = numberOption(line, 'scale', 1, MAX_SCALE);
  const graph = line.values['simulator-graph'];
  return {
    ...(scale === undefined ? {} : { scale }),
    ...(graph === undefined
      ? {}
      : { simulator: graph === 'none' ? undefined : simulatorOptions(line, graph) }),
  };
}

function simulatorOptions(line: CommandLine, graph: string): Record<string, string> {
  const keys = numberOption(line, 'keys', 1, 10_000);
  const more = (line.values.simulator ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map((pair): [string, string] => {
      const at = pair.indexOf('=');
      if (at < 1) throw new CommandLineError(`--simulator takes name=value pairs, not "${pair}"`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
  return {
    graph: resolve(graph),
    ...(keys === undefined ? {} : { keys: String(keys) }),
    ...Object.fromEntries(more),
  };
}

async function restart(stack: Stack, name: string): Promise<void> {
  const servers = new Servers(stack);
  const server = servers.all().find((candidate) => candidate.name === name);
  if (server === undefined) {
    const reply = await askSupervisor(stack.dir, { command: 'restart', name });
    if (reply === undefined)
      throw new PlainFault(`No fleet runs in stack ${stack.name}, and there is no server "${name}".`);
    if (!reply.ok) throw new PlainFault(`${reply.error}, and no server of that name.`);
  } else {
    const control = new ServerControl(stack);
    await control.stop(server);
    await control.start(server);
  }
  say(`${name} was restarted`);
}

async function status(stack: Stack): Promise<void> {
  const { rows, healthy } = await stackStatus(new Servers(stack));
  say(renderStatus(rows));
  if (!healthy) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const plain = error instanceof PlainFault || error instanceof CommandLineError;
  process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
});
