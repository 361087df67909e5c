import { type Clock, DomainError, isDomainError } from '@sociograph/kernel';
import type { RebuildOutcome } from './jobs';
import type { ChangeLog, ChangeRecord, Following, ViewCache, ViewStore, WriterLock } from './ports';
import type { Projector } from './projector';
import { Views } from './views';

/** People whose rows are written anew between two looks at what the stream brought. */
export const PEOPLE_PER_SLICE = 2000;
const LOOK_AGAIN_MS = 20;
const ALIGNED_WITHIN_MS = 30_000;

export interface RebuildPorts {
  log: ChangeLog;
  lock: WriterLock;
  store: ViewStore;
  cache: ViewCache;
  clock: Clock;
}

/**
 * Builds the next version of everything in memory beside the live one, from the log's first record, while the live one
 * goes on; brings both to the same positions, compares their hashes, and swaps: from then on the next version is the
 * live one, under a new fence. Its rows replace the old ones in place, some thousand people at a time, so that what the
 * stream brings is still written in between; at the end the rows that only the old version had are removed. Broken off
 * before the swap it leaves everything as it was; after it, the successor writes all rows as at every start.
 */
export class Rebuild {
  private readonly next = new Views(0);
  /** Next offset by partition. */
  private readonly reached = new Map<number, number>();
  private records = 0;

  constructor(
    private readonly ports: RebuildPorts,
    private readonly projector: Projector,
    /** Writes what is pending; false when that has to be tried again. */
    private readonly flush: () => Promise<boolean>,
  ) {}

  /** Throws VIEWS.REBUILD_BROKEN_OFF when `signal` aborts, the lock is lost, or the log was not read to its end. */
  async run(signal: AbortSignal): Promise<RebuildOutcome> {
    const { clock, lock, store, cache } = this.ports;
    const started = clock.monotonicMs();
    const old = this.projector.graphKeys();
    try {
      await this.replay(signal);
      await this.align(signal);
      const fence = await lock.acquire(await store.highestFence());
      if (fence === undefined) throw brokenOff('the lock was lost');
      await store.claim(fence);
      // Nothing is awaited between the comparison and the swap: both stand at the same positions.
      await this.level(signal);
      const differing = this.differing();
      // Everything is pending in it; the rows are written in slices instead.
      this.next.takePending(0);
      this.projector.adopt(this.next, fence);
      const swappedMs = clock.monotonicMs() - started;
      await this.writeRows(signal);
      await this.untilDone(signal, () => store.removeOlderThan(fence));
      await this.untilDone(signal, () => cache.forget([...new Set([...old, ...this.projector.graphKeys()])]));
      const { people: users, friendships } = this.next.sizes();
      return {
        graphs: this.projector.graphKeys().length,
        users,
        friendships,
        records: this.records,
        hashes: this.next.hashes(),
        differing,
        swappedMs,
        tookMs: clock.monotonicMs() - started,
      };
    } finally {
      this.projector.tap = undefined;
    }
  }

  private take(record: ChangeRecord): void {
    if (record.offset < (this.reached.get(record.partition) ?? 0)) return;
    this.next.take(record);
    this.reached.set(record.partition, record.offset + 1);
    this.records++;
  }

  /** Reads the log to where it ended at the call; the next version then stands there or beyond. */
  private async replay(signal: AbortSignal): Promise<void> {
    let following: Promise<Following> | undefined;
    let abort: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        abort = () => reject(brokenOff('the writer stops'));
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort);
        following = this.ports.log.follow((record) => this.take(record), resolve, new Map(this.reached));
        following.catch(reject);
      });
    } finally {
      signal.removeEventListener('abort', abort);
      await following?.then(
        (open) => open.stop(),
        () => undefined,
      );
    }
  }

  /**
   * Keeps what the live version takes from now on, reads the log up to at least here, and adds what was kept. What was
   * kept would hide a gap before it, so that the reading is judged first. It may be judged wrongly when a record that
   * the live version took was the last of its partition and compaction has removed it since: the next one mends that.
   */
  private async align(signal: AbortSignal): Promise<void> {
    const meanwhile: ChangeRecord[] = [];
    this.projector.tap = (record) => void meanwhile.push(record);
    const live = this.projector.reached();
    await this.replay(signal);
    for (const [partition, offset] of live)
      if ((this.reached.get(partition) ?? 0) < offset) throw brokenOff('the log was not read to its end');
    for (const record of meanwhile) this.take(record);
    this.projector.tap = (record) => this.take(record);
  }

  /** Resolves in the moment in which the live version has all that the next one has, which never has less. */
  private async level(signal: AbortSignal): Promise<void> {
    const deadline = this.ports.clock.monotonicMs() + ALIGNED_WITHIN_MS;
    while (!this.projector.hasReached(this.reached)) {
      if (signal.aborted) throw brokenOff('the writer stops');
      if (this.ports.clock.monotonicMs() > deadline) throw brokenOff('the live version does not follow');
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  private differing(): number[] {
    const live = this.projector.hashes();
    return this.next.hashes().flatMap((hash, partition) => (hash === live[partition] ? [] : [partition]));
  }

  /** A store that is away is waited for: the new version is live already. */
  private async untilDone(signal: AbortSignal, step: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        if (signal.aborted || !isDomainError(error) || error.kind !== 'unavailable') throw error;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
    }
  }

  private async writeRows(signal: AbortSignal): Promise<void> {
    for (const _ of this.next.rewriteAll(PEOPLE_PER_SLICE)) {
      while (!(await this.flush())) {
        if (signal.aborted) throw brokenOff('the writer stops');
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
    }
  }
}

export function brokenOff(reason: string): DomainError {
  return new DomainError({
    code: 'VIEWS.REBUILD_BROKEN_OFF',
    kind: 'unavailable',
    message: 'The rebuild was broken off',
    facts: { reason },
  });
}
