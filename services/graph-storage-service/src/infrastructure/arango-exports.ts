import { aqlCatalogue, bulkGet, bulkWrite, runNamed, type Stored } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { tooContended } from '../domain/errors';
import type { Export } from '../domain/export';
import { ExportRecords } from '../domain/export-ports';

const COLLECTION = 'exports';
/** Other writers are the maker, whoever deletes, and the chore: more than a few tries mean a fault. */
const ATTEMPTS = 20;
/** Behind every id: they are lower-case hexadecimal. */
const BEHIND_ALL = 'z';

const QUERIES = aqlCatalogue({
  exportsOf: {
    text: `
      FOR e IN exports
        FILTER e.workspaceId == @workspaceId AND e._key < @before AND e.expiresAt > @now
        SORT e._key DESC LIMIT @limit
        RETURN e`,
  },
  unfinishedExports: {
    text: `
      FOR e IN exports FILTER e.state.kind IN ["waiting", "running"] SORT e._key LIMIT 1000 RETURN e`,
  },
  keptExports: {
    text: `FOR e IN exports FILTER e.expiresAt > @now RETURN { workspaceId: e.workspaceId, bytes: e.state.bytes }`,
  },
  expiredExports: {
    text: `FOR e IN exports FILTER e.expiresAt <= @now SORT e._key LIMIT 1000 RETURN e`,
  },
  exportsOfGraph: {
    text: `
      FOR e IN exports FILTER e.workspaceId == @workspaceId AND e.network == @network SORT e._key RETURN e`,
  },
});

type ExportDocument = Omit<Export, 'id'>;

/** Exports in the collection `exports`; the id is the key. */
export class ArangoExports extends ExportRecords {
  constructor(private readonly db: Database) {
    super();
  }

  async add({ id, ...rest }: Export): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { written } = await bulkWrite<ExportDocument>(this.db, COLLECTION, {
        inserts: [{ _key: id, ...rest }],
      });
      if (written === 1) return;
    }
    throw tooContended(1, ATTEMPTS);
  }

  async find(id: string): Promise<Export | undefined> {
    const stored = await this.#read(id);
    return stored && toExport(stored);
  }

  async page(
    workspaceId: string,
    { limit, after, now }: { limit: number; after: string | undefined; now: number },
  ): Promise<Export[]> {
    const before = after ?? BEHIND_ALL;
    return this.#all(QUERIES.exportsOf, { workspaceId, before, now, limit });
  }

  unfinished(): Promise<Export[]> {
    return this.#all(QUERIES.unfinishedExports, {});
  }

  expired(now: number): Promise<Export[]> {
    return this.#all(QUERIES.expiredExports, { now });
  }

  ofGraph(workspaceId: string, network: string): Promise<Export[]> {
    return this.#all(QUERIES.exportsOfGraph, { workspaceId, network });
  }

  async use(now: number): Promise<Map<string, { exports: number; bytes: number }>> {
    const kept = await runNamed<{ workspaceId: string; bytes: number | null }>(this.db, QUERIES.keptExports, {
      now,
    });
    const use = new Map<string, { exports: number; bytes: number }>();
    for (const { workspaceId, bytes } of kept) {
      const known = use.get(workspaceId) ?? { exports: 0, bytes: 0 };
      // Only a finished one has bytes.
      use.set(workspaceId, { exports: known.exports + 1, bytes: known.bytes + (bytes ?? 0) });
    }
    return use;
  }

  async change(id: string, change: (stored: Export) => Export | undefined): Promise<Export | undefined> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const stored = await this.#read(id);
      const next = stored && change(toExport(stored));
      if (!stored || !next) return undefined;
      const { id: _key, ...rest } = next;
      const { written } = await bulkWrite<ExportDocument>(this.db, COLLECTION, {
        replaces: [{ _key, _rev: stored._rev, ...rest }],
      });
      if (written === 1) return next;
    }
    throw tooContended(1, ATTEMPTS);
  }

  async remove(id: string, when: (stored: Export) => boolean = () => true): Promise<Export | undefined> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const stored = await this.#read(id);
      if (!stored || !when(toExport(stored))) return undefined;
      const { written } = await bulkWrite(this.db, COLLECTION, {
        removes: [{ _key: id, _rev: stored._rev }],
      });
      if (written === 1) return toExport(stored);
    }
    throw tooContended(1, ATTEMPTS);
  }

  async #read(id: string): Promise<Stored<ExportDocument> | undefined> {
    return (await bulkGet<ExportDocument>(this.db, COLLECTION, [id])).get(id);
  }

  async #all(query: (typeof QUERIES)[keyof typeof QUERIES], bindVars: object): Promise<Export[]> {
    const rows = await runNamed<Stored<ExportDocument>>(this.db, query, { ...bindVars });
    return rows.map(toExport);
  }
}

function toExport(stored: Stored<ExportDocument>): Export {
  const { _key: id, _rev, _id, ...rest } = stored as Stored<ExportDocument> & { _id?: string };
  return { id, ...rest };
}
