import type { Engine } from '../store/engine';
import type { Answer, Exchange } from './exchange';
import type { Router } from './router';

/** Requests of one commit; more would make the first of them wait too long. */
const MAX_GROUP = 8;

interface Waiting {
  exchange: Exchange;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Writes that arrive while another commit is under way share the next one: a flush costs the same for all. */
export class GroupCommit {
  #waiting: Waiting[] = [];
  #scheduled = false;

  constructor(
    private readonly engine: Engine,
    private readonly router: Router,
  ) {}

  /** Resolves once what the request wrote is flushed. */
  answer(exchange: Exchange): Promise<Answer> | Answer {
    if (!writesDocuments(exchange)) return this.router.answer(exchange);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ exchange, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commit(this.#waiting.splice(0, MAX_GROUP));
      this.#schedule();
    });
  }

  #commit(group: readonly Waiting[]): void {
    const answers: Answer[] = [];
    try {
      this.engine.writeGroup(
        group.map(
          ({ exchange }) =>
            () =>
              void answers.push(this.router.answer(exchange)),
        ),
      );
      group.forEach(({ resolve }, i) => resolve(answers[i] as Answer));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}

function writesDocuments({ method, path, query }: Exchange): boolean {
  return (
    path[0] === '_api' &&
    path[1] === 'document' &&
    method !== 'GET' &&
    method !== 'HEAD' &&
    !query.has('onlyget')
  );
}
