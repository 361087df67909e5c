import { bulkGet, runNamed } from '@sociograph/arango';
import type { Database } from 'arangojs';
import {
  type Analysis,
  AnalysisStore,
  CHUNK,
  isOpenAnalysis,
  type ResultParts,
} from '../projections/analyses/analysis';
import { graphKey } from '../projections/graph-view';
import { VIEW_QUERIES } from './aql';
import { guarded, removeFound, withoutConflict } from './store-requests';

export const ANALYSIS_COLLECTIONS = { analyses: 'analyses', results: 'analysis_results' } as const;

const PAGE = 1000;

interface Stored {
  _rev: string;
  analysis: Analysis;
}

interface StoredChunk {
  analysis: string;
  entries: unknown[];
}

/**
 * One document an analysis, one for each workspace that says which of them has its turn, and results in chunks of a
 * thousand entries. Changes are checked by revision.
 */
export class ArangoAnalysisStore extends AnalysisStore {
  constructor(
    private readonly db: Database,
    private readonly names: { analyses: string; results: string } = ANALYSIS_COLLECTIONS,
    private readonly page = PAGE,
  ) {
    super();
  }

  async create(analysis: Analysis): Promise<boolean> {
    const collection = this.db.collection(this.names.analyses);
    const turn = `turn.${analysis.workspaceId}`;
    return withoutConflict('begin an analysis', async () => {
      const held = (await collection.document(turn, { graceful: true })) as {
        _rev: string;
        of: string;
      } | null;
      if (held !== null && held.of !== analysis.id) {
        const other = await this.find(held.of);
        if (other !== undefined && isOpenAnalysis(other)) return false;
      }
      // The analysis first: a turn without one is anybody's.
      await collection.save({ _key: analysis.id, ...fieldsOf(analysis) }, { overwriteMode: 'replace' });
      try {
        if (held === null) await collection.save({ _key: turn, of: analysis.id });
        else await collection.replace(turn, { of: analysis.id }, { ifMatch: held._rev });
      } catch (error) {
        // Who lost the turn leaves nothing behind: what stays open here would run beside the one that has it.
        await withoutConflict('give up an analysis', () => collection.remove(analysis.id));
        throw error;
      }
      return true;
    });
  }

  async find(id: string): Promise<Analysis | undefined> {
    return (await this.stored(id))?.analysis;
  }

  async change(
    id: string,
    change: (analysis: Analysis) => Analysis | undefined,
  ): Promise<Analysis | undefined> {
    return withoutConflict('change an analysis', async () => {
      const found = await this.stored(id);
      const changed = found === undefined ? undefined : change(found.analysis);
      if (found === undefined || changed === undefined) return found?.analysis;
      const collection = this.db.collection(this.names.analyses);
      await collection.replace(id, fieldsOf(changed), { ifMatch: found._rev });
      return changed;
    });
  }

  async open(): Promise<Analysis[]> {
    const bind = { '@collection': this.names.analyses, limit: PAGE };
    return runNamed<Analysis>(this.db, VIEW_QUERIES.openAnalyses, bind);
  }

  async writeChunk<P extends keyof ResultParts>(
    { id, attempts }: Analysis,
    part: P,
    chunk: number,
    entries: readonly ResultParts[P][],
  ): Promise<void> {
    const document = { _key: `${id}.${attempts}.${part}.${chunk}`, analysis: id, entries };
    await withoutConflict('write a result', () =>
      this.db.collection(this.names.results).save(document, { overwriteMode: 'replace' }),
    );
  }

  async entries<P extends keyof ResultParts>(
    { id, attempts }: Analysis,
    part: P,
    from: number,
    count: number,
  ): Promise<ResultParts[P][]> {
    if (count === 0) return [];
    const first = Math.floor(from / CHUNK);
    const last = Math.floor((from + count - 1) / CHUNK);
    const keys: string[] = [];
    for (let chunk = first; chunk <= last; chunk++) keys.push(`${id}.${attempts}.${part}.${chunk}`);
    const chunks = await bulkGet<StoredChunk>(this.db, this.names.results, keys);
    const entries = keys.flatMap((key) => (chunks.get(key)?.entries ?? []) as ResultParts[P][]);
    return entries.slice(from - first * CHUNK, from - first * CHUNK + count);
  }

  async removeEnded(which: { graph: string } | { requestedBefore: number }): Promise<void> {
    const bind = {
      '@collection': this.names.analyses,
      graph: 'graph' in which ? which.graph : null,
      before: 'graph' in which ? Number.MAX_SAFE_INTEGER : which.requestedBefore,
      limit: this.page,
    };
    await removeFound(this.db, this.names.analyses, async () => {
      const ids = await runNamed<string>(this.db, VIEW_QUERIES.endedAnalyses, bind);
      for (const id of ids) await this.removeChunks(id);
      return ids;
    });
  }

  private async removeChunks(id: string): Promise<void> {
    const bind = { '@collection': this.names.results, analysis: id, limit: this.page };
    await removeFound(this.db, this.names.results, () => runNamed(this.db, VIEW_QUERIES.resultsOf, bind));
  }

  private async stored(id: string): Promise<Stored | undefined> {
    const found = (await guarded('read an analysis', () =>
      this.db.collection(this.names.analyses).document(id, { graceful: true }),
    )) as Stored | null;
    return found?.analysis === undefined ? undefined : found;
  }
}

function fieldsOf(analysis: Analysis): object {
  const { workspaceId, network, requestedAt } = analysis;
  return { open: isOpenAnalysis(analysis), graph: graphKey(workspaceId, network), requestedAt, analysis };
}
