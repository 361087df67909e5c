/** Options that take a value, and those that do not. Everything else that starts with a dash is refused by name. */
const VALUED = ['stack', 'port-base', 'scale', 'simulator-graph', 'keys', 'simulator', 'lines'] as const;
const FLAGS = ['servers-only', 'fleet-only', 'compose', 'purge', 'follow', 'help'] as const;
const SHORT: Readonly<Record<string, string>> = { '-f': '--follow', '-h': '--help', '-n': '--lines' };

export type Valued = (typeof VALUED)[number];
export type Flag = (typeof FLAGS)[number];

export interface CommandLine {
  readonly command: string;
  readonly words: readonly string[];
  readonly values: Partial<Record<Valued, string>>;
  readonly flags: ReadonlySet<Flag>;
}

export class CommandLineError extends Error {}

/** `up --stack test --servers-only restart kafka` and its like; `--name value` and `--name=value` both work. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const words: string[] = [];
  const values: Partial<Record<Valued, string>> = {};
  const flags = new Set<Flag>();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    word = SHORT[word] ?? word;
    if (word === '--') continue; // `npm run up -- -- x` passes one through.
    if (!word.startsWith('-')) {
      words.push(word);
      continue;
    }
    const [name, inline] = split(word);
    if (isFlag(name) && inline === undefined) flags.add(name);
    else if (isValued(name)) {
      const value = inline ?? rest.shift();
      if (value === undefined) throw new CommandLineError(`--${name} needs a value`);
      values[name] = value;
    } else throw new CommandLineError(`Unknown option ${word}`);
  }
  return { command: words.shift() ?? 'help', words, values, flags };
}

/** A whole number in [min, max] from an option, or undefined when it was not given. */
export function numberOption(line: CommandLine, name: Valued, min: number, max: number): number | undefined {
  const text = line.values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new CommandLineError(`--${name} must be a number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

function split(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at === -1 ? [word.slice(2), undefined] : [word.slice(2, at), word.slice(at + 1)];
}

function isFlag(name: string): name is Flag {
  return (FLAGS as readonly string[]).includes(name);
}

function isValued(name: string): name is Valued {
  return (VALUED as readonly string[]).includes(name);
}
