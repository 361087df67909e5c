import { Agent, request } from 'node:http';
import type { TokenSource } from '@sociograph/api-client';

export interface Answer {
  status: number;
  body: unknown;
}

/** Reads of the views over warm connections; what a read costs the reader must not hide what it costs the fleet. */
export class ViewsReader {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });

  constructor(
    private readonly url: string,
    private readonly tokens: TokenSource,
  ) {}

  async get(path: string): Promise<Answer> {
    const headers = { authorization: `Bearer ${await this.tokens.token()}` };
    return new Promise((resolve, reject) => {
      const asked = request(this.url + path, { agent: this.#agent, headers, timeout: 15_000 }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) });
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`no answer to ${path} within 15 s`)));
      asked.on('error', reject);
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
