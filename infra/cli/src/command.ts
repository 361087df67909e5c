import type { Api } from '@sociograph/api-client';
import type { Arguments, Options } from './arguments';
import type { Connection } from './connection';
import type { ExitCode } from './failures';
import type { Output } from './output';
import type { Terminal } from './terminal';

/** What a command works with. */
export interface Call {
  args: Arguments;
  output: Output;
  terminal: Terminal;
  connection: Connection;
  /** The API with the tokens of whoever is logged in; throws NotLoggedIn when nobody is. */
  api(options?: { patienceMs?: number }): Promise<Api>;
}

export interface Command {
  /** How it is called: `import start`. */
  name: string;
  /** The words after it, for the usage: `[SEED...]`. */
  words?: string;
  summary: string;
  /** More of it, below the usage. */
  details?: string;
  options?: Options;
  /** How many words it takes; none unless told. */
  takes?: { min: number; max: number };
  /** The exit code; nothing means 0. */
  run(call: Call): Promise<ExitCode | void>;
}
