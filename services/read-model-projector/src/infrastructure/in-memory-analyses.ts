import { analyse, type Findings } from '../projections/analyses/analyse';
import type { Analysis, ResultParts } from '../projections/analyses/analysis';
import { AnalysisRunner, AnalysisStore, CHUNK, isOpenAnalysis } from '../projections/analyses/analysis';
import { analysisBrokenOff } from '../projections/analyses/analyst';
import { graphKey } from '../projections/graph-view';

/** Analyses and their results in maps. */
export class InMemoryAnalysisStore extends AnalysisStore {
  readonly analyses = new Map<string, Analysis>();
  readonly chunks = new Map<string, unknown[]>();

  async create(analysis: Analysis): Promise<boolean> {
    const open = [...this.analyses.values()].filter(isOpenAnalysis);
    if (open.some(({ workspaceId }) => workspaceId === analysis.workspaceId)) return false;
    this.analyses.set(analysis.id, structuredClone(analysis));
    return true;
  }

  async find(id: string): Promise<Analysis | undefined> {
    return structuredClone(this.analyses.get(id));
  }

  async change(
    id: string,
    change: (analysis: Analysis) => Analysis | undefined,
  ): Promise<Analysis | undefined> {
    const found = this.analyses.get(id);
    const changed = found === undefined ? undefined : change(structuredClone(found));
    if (changed !== undefined) this.analyses.set(id, structuredClone(changed));
    return structuredClone(changed ?? found);
  }

  async open(): Promise<Analysis[]> {
    const open = [...this.analyses.values()].filter(isOpenAnalysis);
    return structuredClone(open.sort((a, b) => a.requestedAt - b.requestedAt));
  }

  async writeChunk<P extends keyof ResultParts>(
    { id, attempts }: Analysis,
    part: P,
    chunk: number,
    entries: readonly ResultParts[P][],
  ): Promise<void> {
    this.chunks.set(`${id}.${attempts}.${part}.${chunk}`, [...entries]);
  }

  async entries<P extends keyof ResultParts>(
    { id, attempts }: Analysis,
    part: P,
    from: number,
    count: number,
  ): Promise<ResultParts[P][]> {
    const entries: ResultParts[P][] = [];
    for (let at = from; at < from + count; at++) {
      const chunk = this.chunks.get(`${id}.${attempts}.${part}.${Math.floor(at / CHUNK)}`);
      const entry = chunk?.[at % CHUNK] as ResultParts[P] | undefined;
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  async removeEnded(which: { graph: string } | { requestedBefore: number }): Promise<void> {
    for (const analysis of [...this.analyses.values()]) {
      const meant =
        'graph' in which
          ? graphKey(analysis.workspaceId, analysis.network) === which.graph
          : analysis.requestedAt < which.requestedBefore;
      if (!meant || isOpenAnalysis(analysis)) continue;
      this.analyses.delete(analysis.id);
      for (const key of this.chunks.keys()) if (key.startsWith(`${analysis.id}.`)) this.chunks.delete(key);
    }
  }
}

/** Works in this thread, a step each turn. `held` keeps it from ending. */
export class InlineAnalyses extends AnalysisRunner {
  held = false;
  begun = 0;
  ended = 0;

  async run(
    { copy, kind, seed }: Parameters<AnalysisRunner['run']>[0],
    progress: (share: number) => void,
    signal: AbortSignal,
  ): Promise<Findings> {
    this.begun++;
    const work = analyse(copy, kind, seed);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) throw analysisBrokenOff('it is not wanted any more');
      if (this.held) {
        progress(0.5);
        continue;
      }
      const step = work.next();
      if (step.done === true) {
        this.ended++;
        return step.value;
      }
      progress(step.value);
    }
  }
}
