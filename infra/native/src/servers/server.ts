import type { Launch } from '../launch';
import type { Stack } from '../stack';

/** A sentence for the person at the keyboard: what is missing and the way out. Printed without a stack trace. */
export class PlainFault extends Error {}

/** What a server needs of the machine before it can be prepared. */
export interface Requirement {
  /** Debian packages that bring the binary. */
  readonly packages: readonly string[];
  /** Path of the binary when it is there. */
  readonly found: () => string | undefined;
  /** What to do where apt cannot help, in one sentence. */
  readonly wayOut: string;
}

/** One server of the stack: how it is installed, configured, started, recognised and filled. */
export abstract class Server {
  abstract readonly name: string;
  /** The port by which it is known; it must be free before the start. */
  abstract readonly port: number;
  /** Part of the command line that only this stack's process has. */
  abstract readonly marker: string;
  readonly stopSignal: NodeJS.Signals = 'SIGTERM';
  readonly stopGraceMs: number = 10_000;
  readonly startTimeoutMs: number = 60_000;

  constructor(protected readonly stack: Stack) {}

  /** Value of the environment variable by which the user brings his own server, or undefined. */
  given(): string | undefined {
    return undefined;
  }

  /** True where accounts are ours to make: on a server that we start, and on one that the user gave us whole. */
  ownsAccounts(): boolean {
    return this.given() === undefined || this.stack.given['SOCIOGRAPH_DEDICATED_SERVERS'] === 'true';
  }

  requirements(): Requirement[] {
    return [];
  }

  /** Downloads that apt does not bring. */
  async fetch(): Promise<void> {}

  /** Folders and configuration files; harmless to repeat. */
  abstract prepare(): Promise<void>;

  abstract launch(): Launch;

  abstract ready(): Promise<boolean>;

  /** Removes what it keeps outside the stack's folder. */
  async purge(): Promise<void> {}

  /** Accounts, topics and the like; harmless to repeat, also for a server that the user brought. */
  async fill(): Promise<void> {}
}

/** The same address for another account. */
export function withAccount(address: string, username: string, password: string): string {
  const url = new URL(address);
  url.username = encodeURIComponent(username);
  url.password = encodeURIComponent(password);
  return url.href;
}
