import { pause } from '../fleet/endless-imports';

const EVERY_MS = 200;

/** Reads through the gateway, one after the other, whatever becomes of them; counts the answers. */
export class AnswersMeanwhile {
  readonly #counts: Record<string, number> = {};
  #running = true;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly gateway: string,
    private readonly token: () => Promise<string>,
    private readonly person: string,
  ) {}

  start(): this {
    this.#loop = this.#run();
    return this;
  }

  /** Answers by status; without an answer by the code of the fault. */
  async stop(): Promise<Record<string, number>> {
    this.#running = false;
    await this.#loop;
    return this.#counts;
  }

  async #run(): Promise<void> {
    const paths = [
      `/v1/profiles/vk/${this.person}`,
      '/v1/graphs/vk/summary',
      `/v1/people/vk/${this.person}/friends?limit=20`,
      '/v1/imports?limit=5',
      '/v1/keys?limit=5',
      '/v1/workspace',
    ];
    for (let turn = 0; this.#running; turn += 1) {
      const outcome = await this.#ask(paths[turn % paths.length] as string);
      this.#counts[outcome] = (this.#counts[outcome] ?? 0) + 1;
      await pause(EVERY_MS);
    }
  }

  async #ask(path: string): Promise<string> {
    try {
      const headers = { authorization: `Bearer ${await this.token()}` };
      const answer = await fetch(this.gateway + path, { headers, signal: AbortSignal.timeout(10_000) });
      await answer.arrayBuffer();
      return String(answer.status);
    } catch (error) {
      const { name, cause } = error as Error & { cause?: { code?: string } };
      return cause?.code ?? name;
    }
  }
}
