import { Agent, request } from 'node:http';
import type { BenchKey, WorkerSettings } from './protocol';
import { errorIn, type Tally } from './tally';

export const CALL_BODY = 'v=5.199&user_id=1';
export const CALL_TIMEOUT_MS = 10_000;

export function callHeaders(token: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(CALL_BODY)),
  };
}

/** The call of those who leave the network to node:http: kept-alive connections, Nagle off. */
export class PlainCaller {
  readonly #agent = new Agent({ keepAlive: true, noDelay: true, maxSockets: Infinity, maxFreeSockets: 512 });
  readonly #base: URL;

  constructor(
    settings: WorkerSettings,
    private readonly tally: Tally,
  ) {
    this.#base = new URL(settings.baseUrl);
  }

  call(key: BenchKey): Promise<void> {
    return new Promise((resolve) => {
      const failed = (cause: string): void => {
        this.tally.count('broken', cause);
        resolve();
      };
      const sent = request(
        {
          agent: this.#agent,
          host: this.#base.hostname,
          port: this.#base.port,
          path: `${this.#base.pathname}/friends.get`,
          method: 'POST',
          headers: callHeaders(key.token),
          timeout: CALL_TIMEOUT_MS,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            this.tally.answered(errorIn(Buffer.concat(chunks).toString('utf8')));
            resolve();
          });
        },
      );
      sent.once('timeout', () => sent.destroy(new Error('timeout')));
      sent.once('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
      sent.end(CALL_BODY);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
