import { parseArgs } from 'node:util';

/** Its message is one sentence that names the option, or how the command is used. */
export class ArgumentFault extends Error {}

export interface OptionNames<Text extends string, Flag extends string> {
  readonly usage: string;
  readonly texts: readonly Text[];
  readonly flags?: readonly Flag[];
}

/** The options of one command line; asking for help, or for one that there is not, is an ArgumentFault with the usage. */
export class DrillArguments<Text extends string, Flag extends string = never> {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(argv: readonly string[], { usage, texts, flags = [] }: OptionNames<Text, Flag>) {
    const kinds = (names: readonly string[], type: 'string' | 'boolean') =>
      names.map((name) => [name, { type }] as const);
    try {
      this.#values = parseArgs({
        args: argv.filter((word) => word !== '--'),
        options: Object.fromEntries([...kinds(texts, 'string'), ...kinds([...flags, 'help'], 'boolean')]),
        strict: true,
        allowPositionals: false,
      }).values as Record<string, string | boolean | undefined>;
    } catch (error) {
      throw new ArgumentFault(`${(error as Error).message}\n${usage}`);
    }
    if (this.#values['help'] === true) throw new ArgumentFault(usage);
  }

  text(name: Text): string | undefined {
    return this.#values[name] as string | undefined;
  }

  flag(name: Flag): boolean {
    return this.#values[name] === true;
  }

  whole(name: Text, usual: number, least: number, most = Infinity): number {
    const value = this.#number(name, usual);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new ArgumentFault(
      `--${name} must be a whole number from ${least}${most < Infinity ? ` to ${most}` : ''}`,
    );
  }

  number(name: Text, usual: number, least: number): number {
    const value = this.#number(name, usual);
    if (value >= least) return value;
    throw new ArgumentFault(`--${name} must be a number from ${least}`);
  }

  above(name: Text, usual: number): number {
    const value = this.#number(name, usual);
    if (value > 0) return value;
    throw new ArgumentFault(`--${name} must be more than 0`);
  }

  share(name: Text, usual: number): number {
    const value = this.#number(name, usual);
    if (value > 0 && value <= 1) return value;
    throw new ArgumentFault(`--${name} must be more than 0 and at most 1`);
  }

  /** The first port of the stack's block; undefined: any block that is free. */
  portBase(name: Text): number | undefined {
    const given = this.text(name);
    if (given === undefined) return undefined;
    const base = Number(given);
    if (Number.isInteger(base) && base >= 1024 && base <= 65_235) return base;
    throw new ArgumentFault(`--${name} must be a number from 1024 to 65235`);
  }

  #number(name: Text, usual: number): number {
    const given = this.text(name);
    return given === undefined ? usual : Number(given);
  }
}
