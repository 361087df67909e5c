import type { RespConnection, RespReply } from './resp-connection';
import type { Settling } from './virtual-time';

/**
 * The databases of one seed, one in each of two real servers: seeds that are played at the same time share connections
 * and writes, never data. It is busy while one of its own commands is not answered.
 */
export class RedisRoom implements Settling {
  readonly #servers: readonly [RespConnection, RespConnection];
  readonly #answered = (): void => this.#oneAnswered();
  #open = 0;
  #idle: (() => void) | undefined;

  constructor(
    servers: readonly [RespConnection, RespConnection],
    readonly database: number,
  ) {
    this.#servers = servers;
  }

  get busy(): boolean {
    return this.#open > 0;
  }

  async idle(): Promise<void> {
    if (this.busy) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  call(server: 0 | 1, ...words: (string | number)[]): Promise<RespReply> {
    this.#open += 1;
    return this.#servers[server].call(this.database, words, this.#answered);
  }

  /** Libraries of functions belong to a server, not to a database: each is loaded once for all seeds. */
  load(server: 0 | 1, name: string, text: string): Promise<RespReply> {
    const { libraries } = this.#servers[server];
    if (libraries.has(name)) return Promise.resolve(name);
    libraries.add(name);
    return this.call(server, 'FUNCTION', 'LOAD', text);
  }

  #oneAnswered(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#idle?.();
  }
}
