import { parseArgs } from 'node:util';
import { UsageError } from './failures';

export interface OptionSpec {
  type: 'string' | 'boolean';
  /** May be given more than once. */
  multiple?: true;
  /** How its value is called in the usage. */
  value?: string;
  help: string;
}

export type Options = Readonly<Record<string, OptionSpec>>;

/** What every command takes. */
export const GLOBAL_OPTIONS = {
  json: { type: 'boolean', help: 'JSON for scripts: answers on stdout, errors and notices on stderr' },
  url: { type: 'string', value: 'URL', help: 'the gateway (SOCIOGRAPH_URL)' },
  issuer: { type: 'string', value: 'URL', help: 'the login server and its realm (SOCIOGRAPH_ISSUER)' },
  profile: { type: 'string', value: 'NAME', help: 'which login to use (SOCIOGRAPH_PROFILE, default)' },
  help: { type: 'boolean', help: 'this text' },
} as const satisfies Options;

/** The words and options of one command, read once; whatever is wrong with them is a UsageError. */
export class Arguments {
  private constructor(
    readonly words: readonly string[],
    private readonly values: Readonly<Record<string, unknown>>,
  ) {}

  static parse(argv: readonly string[], options: Options): Arguments {
    const all = { ...options, ...GLOBAL_OPTIONS };
    try {
      const { values, positionals } = parseArgs({
        args: [...argv],
        allowPositionals: true,
        options: Object.fromEntries(
          Object.entries(all).map(([name, { type, multiple }]: [string, OptionSpec]) => [
            name,
            { type, multiple: multiple === true },
          ]),
        ),
      });
      return new Arguments(positionals, values);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  needed(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`--${name} is needed`);
    return value;
  }

  /** Of an option that may be repeated, or hold several values parted by commas. */
  list(name: string): string[] | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    return [value].flat().flatMap((text) => String(text).split(',').filter(Boolean));
  }

  whole(name: string, min = 0, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
  }
}

/** What was given, without the options that were not. */
export function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
