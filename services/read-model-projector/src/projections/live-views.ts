import { type Positions, positionsCover } from '@sociograph/contracts';
import type { Reached, SummaryRow } from './ports';
import { type Profile, profileInMemory } from './profile';
import type { Projector } from './projector';

/** How waiting for a position ended; `closed`: this instance does not write any more, rows are read again. */
export type LiveWait = 'reached' | 'late' | 'closed';

interface Waiting {
  wanted: Positions;
  wake(end: LiveWait): void;
}

/**
 * What the writer of an instance has in memory, for the readers of that instance: it includes a change as soon as its
 * record was taken in, while the rows wait for the next flush. Closed while the instance does not write, then rows are
 * read. Answers of one moment and the positions of that moment belong together: take both without awaiting in between.
 */
export class LiveViews {
  private projector: Projector | undefined;
  private readonly waiting = new Set<Waiting>();
  private isLooking = false;

  /** This projector has taken in the whole log, and goes on. */
  open(projector: Projector): void {
    this.projector = projector;
  }

  /** Readers go back to the rows, those who wait for a position among them. */
  close(): void {
    this.projector = undefined;
    for (const { wake } of [...this.waiting]) wake('closed');
  }

  /** What the memory includes, and since when; undefined while closed. */
  reached(): Reached | undefined {
    return this.projector?.reachedInMemory();
  }

  /** Undefined for somebody who is no person, and while closed. */
  profile(workspaceId: string, network: string, id: string): Profile | undefined {
    const view = this.projector?.graph(workspaceId, network);
    return view === undefined ? undefined : profileInMemory(view, id, 0, 0);
  }

  /** Undefined for a graph that nobody named, and while closed. */
  summary(workspaceId: string, network: string): SummaryRow | undefined {
    return this.projector?.graph(workspaceId, network)?.summaryRow(0, 0);
  }

  /** Resolves when the memory includes these positions, or after `timeoutMs`. */
  waitFor(wanted: Positions, timeoutMs: number): Promise<LiveWait> {
    if (this.projector === undefined) return Promise.resolve('closed');
    if (this.covers(wanted)) return Promise.resolve('reached');
    return new Promise((resolve) => {
      const wake = (end: LiveWait): void => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        resolve(end);
      };
      const waiting: Waiting = { wanted, wake };
      const timer = setTimeout(() => wake('late'), timeoutMs);
      this.waiting.add(waiting);
    });
  }

  /** A record was taken in. Those who wait are looked at once for all records of one turn of the event loop. */
  advanced(): void {
    if (this.waiting.size === 0 || this.isLooking) return;
    this.isLooking = true;
    setImmediate(() => {
      this.isLooking = false;
      for (const { wanted, wake } of [...this.waiting]) if (this.covers(wanted)) wake('reached');
    });
  }

  private covers(wanted: Positions): boolean {
    return positionsCover(this.reached()?.positions ?? {}, wanted);
  }
}
