import { isDomainError } from '@sociograph/kernel';
import { pause } from './waiting';
import { type WriterObserver, type WriterPorts, WriterTerm, type WriterTimes } from './writer-term';

/**
 * The life of an instance as far as writing goes: stand by until the lock is free, begin with the newest checkpoint,
 * read graph.changes from there on (without one: from its first record) into memory, write what changed, follow
 * live. A lost lock ends it: the memory is dropped and the instance stands by again.
 */
export class ActiveWriter {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly ports: WriterPorts,
    private readonly observer: WriterObserver,
    private readonly times: WriterTimes,
  ) {}

  /** Begins to stand by; nothing happens after `stop`. */
  start(): void {
    this.running ??= this.run();
  }

  /** Flushes once more, gives the lock back, and resolves. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    this.observer.became('standby');
    while (!signal.aborted) {
      const fence = await this.tryAcquire();
      if (fence === undefined) {
        await pause(this.times.standbyMs, signal);
        continue;
      }
      this.observer.became('replaying', fence);
      await new WriterTerm(this.ports, this.observer, this.times, fence).run(signal);
      await this.giveBack();
      if (!signal.aborted) this.observer.became('standby');
    }
  }

  private async tryAcquire(): Promise<number | undefined> {
    try {
      // Where lock and rows are lost, the announcements are not: watchers ignore whoever writes under a lower fence.
      const announced = this.ports.watch.highestFence();
      if (announced === undefined) return undefined;
      const claimed = await this.ports.store.highestFence();
      const fence = await this.ports.lock.acquire(Math.max(announced, claimed));
      if (fence !== undefined) await this.ports.store.claim(fence);
      return fence;
    } catch (error) {
      this.observer.failed('acquire', error);
      await this.giveBack();
      return undefined;
    }
  }

  private async giveBack(): Promise<void> {
    try {
      await this.ports.lock.release();
    } catch (error) {
      if (!isDomainError(error)) throw error; // Unreachable: it expires by itself.
    }
  }
}
