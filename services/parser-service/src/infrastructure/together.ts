import { AsyncResource } from 'node:async_hooks';
import { isDomainError } from '@sociograph/kernel';

interface Entry<T, R> {
  readonly task: T;
  /** The trace it belongs to: a piece is done in that of its first task, not of the piece before. */
  readonly scope: AsyncResource;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Tasks of one name are done together: what comes while some are under way waits for them, and then goes in one piece. A
 * piece that fails for another reason than an unavailable server is done one by one, so that one task does not fail others.
 */
export class Together<T, R> {
  private readonly waiting = new Map<string, Entry<T, R>[]>();

  /** `work` answers in the order of its tasks. */
  constructor(
    private readonly work: (tasks: readonly T[]) => Promise<R[]>,
    private readonly most: number,
  ) {}

  add(name: string, task: T): Promise<R> {
    return new Promise((resolve, reject) => {
      const entry = { task, scope: new AsyncResource('task'), resolve, reject };
      const waiting = this.waiting.get(name);
      if (waiting !== undefined) {
        waiting.push(entry);
        return;
      }
      const begun = [entry];
      this.waiting.set(name, begun);
      void this.workOff(name, begun);
    });
  }

  private async workOff(name: string, waiting: Entry<T, R>[]): Promise<void> {
    while (waiting.length > 0) await this.doTogether(waiting.splice(0, this.most));
    this.waiting.delete(name);
  }

  /** Never rejects: each entry hears of its own end. */
  private async doTogether(entries: readonly Entry<T, R>[]): Promise<void> {
    try {
      const work = () => this.work(entries.map(({ task }) => task));
      const results = await (entries[0]?.scope.runInAsyncScope(work) ?? work());
      entries.forEach((entry, index) => entry.resolve(results[index] as R));
    } catch (error) {
      const isOfTheServer = isDomainError(error) && error.kind === 'unavailable';
      if (entries.length === 1 || isOfTheServer) for (const entry of entries) entry.reject(error);
      else for (const entry of entries) await this.doTogether([entry]);
    }
  }
}
