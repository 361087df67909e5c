import { Readable } from 'node:stream';
import { run } from '../src/program';
import type { ExitCode } from '../src/failures';
import type { Terminal } from '../src/terminal';

/** A terminal whose outputs are kept; `lines` and `json` read stdout. */
export class TerminalDouble implements Terminal {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly interruption = new AbortController();
  readonly signal = this.interruption.signal;
  readonly stdout: Sheet;
  readonly stderr: Sheet;

  constructor(
    readonly env: Record<string, string>,
    { stdin = '', tty = false }: { stdin?: string; tty?: boolean } = {},
  ) {
    this.stdin = Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]);
    this.stdout = new Sheet(tty);
    this.stderr = new Sheet(tty);
  }

  run(...argv: string[]): Promise<ExitCode> {
    return run(argv, this);
  }
}

/** Everything that was written to a stream. */
export class Sheet {
  text = '';

  constructor(readonly isTTY: boolean) {}

  write(piece: string | Uint8Array): void {
    this.text += typeof piece === 'string' ? piece : Buffer.from(piece).toString('utf8');
  }

  get lines(): string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }

  json<T = Record<string, unknown>>(): T[] {
    return this.lines.map((line) => JSON.parse(line) as T);
  }
}
