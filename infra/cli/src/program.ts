import { Arguments, GLOBAL_OPTIONS, type Options } from './arguments';
import type { Call, Command } from './command';
import { deadCalls } from './commands/dead-calls';
import { events } from './commands/events';
import { exporting } from './commands/exports';
import { imports, watch } from './commands/imports';
import { keys } from './commands/keys';
import { login, logout, whoami } from './commands/login';
import { queries } from './commands/queries';
import { Connection } from './connection';
import { EXIT, failureOf, UsageError, type ExitCode } from './failures';
import { Output } from './output';
import type { Terminal } from './terminal';

export const COMMANDS: readonly Command[] = [
  login,
  logout,
  whoami,
  ...imports,
  watch,
  ...queries,
  ...exporting,
  events,
  ...keys,
  ...deadCalls,
];

/** Runs one command line; its answer is the exit code. Nothing is thrown. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const output = new Output(terminal, argv.includes('--json'));
  try {
    return await dispatch(argv, terminal, output);
  } catch (error) {
    const failure = failureOf(terminal.signal.aborted ? terminal.signal.reason : error);
    output.failure(failure);
    return failure.exitCode;
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal, output: Output): Promise<ExitCode> {
  const command = COMMANDS.find(({ name }) => `${argv.join(' ')} `.startsWith(`${name} `));
  if (command === undefined) return overview(argv, terminal);
  const args = parse(command, argv.slice(command.name.split(' ').length));
  if (args.flag('help')) {
    terminal.stdout.write(usageOf(command));
    return EXIT.ok;
  }
  const { min, max } = command.takes ?? { min: 0, max: 0 };
  // Words that are too many are not repeated: they may be a token.
  if (args.words.length < min || args.words.length > max)
    throw new UsageError(`usage: ${usageLine(command)} ("sociograph ${command.name} --help" tells more)`);
  const connection = new Connection(args, terminal);
  const call: Call = {
    args,
    output,
    terminal,
    connection,
    api: (options) => connection.api(options),
  };
  try {
    return (await command.run(call)) ?? EXIT.ok;
  } catch (error) {
    // A word that cannot be part of a path (pathOf).
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function parse(command: Command, argv: readonly string[]): Arguments {
  if (argv.some((word) => /^--token(=|$)/.test(word)))
    throw new UsageError('a token is never given on the command line: "sociograph keys add --help" says why');
  return Arguments.parse(argv, command.options ?? {});
}

function overview(argv: readonly string[], terminal: Terminal): ExitCode {
  const words = argv.filter((word) => !word.startsWith('-'));
  const group = COMMANDS.filter(({ name }) => name.split(' ')[0] === words[0]);
  const known = words.length === 0 || words[0] === 'help' || (words.length === 1 && group.length > 0);
  if (!known)
    throw new UsageError(`there is no command "${words.slice(0, 2).join(' ')}": "sociograph --help"`);
  terminal.stdout.write(listOf(group.length > 0 ? group : COMMANDS));
  return argv.length === 0 || group.length > 0 ? helpAsked(argv) : EXIT.ok;
}

/** A group of commands without one of them is half a command line, unless its help was asked for. */
function helpAsked(argv: readonly string[]): ExitCode {
  return argv.includes('--help') || argv.length === 0 ? EXIT.ok : EXIT.usage;
}

function listOf(commands: readonly Command[]): string {
  const lines = commands.map((command) => [usageLine(command), command.summary] as const);
  const width = Math.max(...lines.map(([line]) => line.length));
  return (
    lines.map(([line, summary]) => `  ${line.padEnd(width)}  ${summary}\n`).join('') +
    '\n"sociograph COMMAND --help" shows the options. Exit codes: 0 done, 1 failed, 2 wrong command line,\n' +
    '3 not logged in, 4 not found, 5 ended other than asked, 130 interrupted.\n'
  );
}

function usageOf(command: Command): string {
  const options: Options = { ...command.options, ...GLOBAL_OPTIONS };
  const rows = Object.entries(options).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  const width = Math.max(...rows.map(([option]) => option.length));
  return (
    `${usageLine(command)} [OPTION...]\n\n${command.summary}\n` +
    (command.details === undefined ? '' : `${command.details}\n`) +
    `\n${rows.map(([option, help]) => `  ${option.padEnd(width)}  ${help}\n`).join('')}`
  );
}

function usageLine({ name, words }: Command): string {
  return `sociograph ${name}${words === undefined ? '' : ` ${words}`}`;
}
