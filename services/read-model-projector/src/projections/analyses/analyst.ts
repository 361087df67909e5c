import { encodePositions, mergePositions, type Positions } from '@sociograph/contracts';
import { type Clock, DomainError, isDomainError } from '@sociograph/kernel';
import { graphKey } from '../graph-view';
import { pause } from '../waiting';
import type { Findings } from './analyse';
import { type Analysis, type AnalysisRunner, type AnalysisStore, CHUNK, isOpenAnalysis } from './analysis';
import type { GraphCopy } from './whole-graph';

export const KEPT_DAYS = 7;
/** One in which the writer ended so often is not begun again: it may be what ends it. */
export const MOST_ATTEMPTS = 3;

/** What the writer lends the analyst. */
export interface Graphs {
  /** The graph as it stands now, and which positions are in it; undefined when there is none. */
  copyOf(workspaceId: string, network: string): { copy: GraphCopy; positions: Positions[] } | undefined;
  /** Graphs, by key, in which somebody was erased and that are not settled since. */
  erased(): string[];
  /** What was found in the graph before the last call of `erased` is gone. */
  settled(graph: string): void;
  mayWork(): boolean;
}

export interface AnalystPorts {
  store: AnalysisStore;
  runner: AnalysisRunner;
  clock: Clock;
}

/**
 * Carries out analyses, one after the other, oldest first, while the writer goes on: the graph is copied (milliseconds),
 * the work is another thread's. It looks at what is kept twice a second: for cancellations, and to tell how far it is. An
 * erasure ends the results of that graph, and begins anew what is under way.
 */
export class Analyst {
  constructor(
    private readonly ports: AnalystPorts,
    private readonly graphs: Graphs,
    private readonly failed: (error: unknown) => void,
    private readonly lookMs: number,
  ) {}

  /** Looks once for what is to be done and does it. What fails is told. */
  async look(signal: AbortSignal): Promise<void> {
    if (!this.graphs.mayWork()) return;
    try {
      await this.removeErased();
      const [next] = await this.ports.store.open();
      if (next !== undefined) await this.carryOut(next, signal);
    } catch (error) {
      this.failed(error);
    }
  }

  private async removeErased(): Promise<string[]> {
    const erased = this.graphs.erased();
    for (const graph of erased) {
      await this.ports.store.removeEnded({ graph });
      this.graphs.settled(graph);
    }
    return erased;
  }

  private async carryOut(asked: Analysis, signal: AbortSignal): Promise<void> {
    const { store, clock } = this.ports;
    await store.removeEnded({ requestedBefore: clock.nowMs() - KEPT_DAYS * 86_400_000 });
    const attempts = asked.attempts + 1;
    if (attempts > MOST_ATTEMPTS) return this.end(asked, { state: 'failed', fault: 'VIEWS.JOB_GAVE_UP' });
    const begun = await store.change(asked.id, (kept) =>
      isOpenAnalysis(kept) ? { ...kept, state: 'running', attempts, progress: 0 } : undefined,
    );
    if (begun === undefined || !isOpenAnalysis(begun)) return;
    const found = this.graphs.copyOf(begun.workspaceId, begun.network);
    if (found === undefined) return this.end(begun, { state: 'failed', fault: 'VIEWS.GRAPH_UNKNOWN' });
    const appliedUpTo = encodePositions(found.positions.reduce(mergePositions, {}));
    try {
      const findings = await this.run(begun, found.copy, signal);
      if (findings === 'left') return this.leave(begun);
      if (findings === 'cancelled' || !this.graphs.mayWork()) return;
      await this.write(begun, findings);
      const { people, friendships, figures } = findings;
      await this.end(begun, { state: 'done', progress: 1, appliedUpTo, people, friendships, figures });
    } catch (error) {
      if (signal.aborted || !this.graphs.mayWork()) return this.leave(begun);
      this.failed(error);
      const fault = isDomainError(error) ? error.code : 'INTERNAL';
      await this.end(begun, { state: 'failed', fault });
    }
  }

  /** `left`: the writer stops, or somebody was erased meanwhile; it is to be begun anew. */
  private async run(
    { id, kind, seed, workspaceId, network }: Analysis,
    copy: GraphCopy,
    signal: AbortSignal,
  ): Promise<Findings | 'left' | 'cancelled'> {
    const { store, runner } = this.ports;
    const stopping = new AbortController();
    const over = new AbortController();
    let share = 0;
    let ending: 'left' | 'cancelled' | undefined;
    const stop = (why: 'left' | 'cancelled'): void => {
      ending ??= why;
      stopping.abort();
    };
    const leave = (): void => stop('left');
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    const watching = (async () => {
      while (!over.signal.aborted) {
        await pause(this.lookMs, over.signal);
        if (over.signal.aborted) return;
        try {
          if ((await this.removeErased()).includes(graphKey(workspaceId, network))) stop('left');
          const kept = await store.change(id, (now) =>
            now.state === 'running' && now.progress < share ? { ...now, progress: share } : undefined,
          );
          if (kept?.state !== 'running') stop('cancelled');
          if (!this.graphs.mayWork()) stop('left');
        } catch (error) {
          this.failed(error);
        }
      }
    })();
    const ran = runner.run(
      { copy, kind, seed },
      (now) => void (share = Math.max(share, now)),
      stopping.signal,
    );
    await ran.catch(() => undefined);
    over.abort();
    // The last look may still find that somebody was erased: what was found is not asked for before.
    await watching;
    signal.removeEventListener('abort', leave);
    return ending ?? ran;
  }

  private async write(analysis: Analysis, { ids, values, sizes }: Findings): Promise<void> {
    const { store } = this.ports;
    for (let from = 0; from < ids.length; from += CHUNK) {
      const page = ids.slice(from, from + CHUNK);
      const entries = page.map((id, at): [string, number] => [id, values[from + at]!]);
      await store.writeChunk(analysis, 'people', from / CHUNK, entries);
    }
    let begin = 0;
    for (let from = 0; from < sizes.length; from += CHUNK) {
      const entries = Array.from(sizes.subarray(from, from + CHUNK), (size): [number, number] => {
        begin += size;
        return [begin - size, size];
      });
      await store.writeChunk(analysis, 'communities', from / CHUNK, entries);
    }
  }

  /** For whoever writes next; an end in good order does not count as an attempt. */
  private async leave({ id, attempts }: Analysis): Promise<void> {
    if (!this.graphs.mayWork()) return;
    await this.ports.store.change(id, (kept) =>
      kept.state === 'running' && kept.attempts === attempts
        ? { ...kept, state: 'waiting', attempts: attempts - 1 }
        : undefined,
    );
  }

  /** Unless it was cancelled, or another writer began it, meanwhile. */
  private async end({ id, attempts }: Analysis, how: Partial<Analysis>): Promise<void> {
    const finishedAt = this.ports.clock.nowMs();
    await this.ports.store.change(id, (kept) =>
      isOpenAnalysis(kept) && kept.attempts === attempts ? { ...kept, ...how, finishedAt } : undefined,
    );
  }
}

export function analysisBrokenOff(reason: string): DomainError {
  return new DomainError({
    code: 'VIEWS.ANALYSIS_BROKEN_OFF',
    kind: 'unavailable',
    message: 'The analysis was broken off',
    facts: { reason },
  });
}
