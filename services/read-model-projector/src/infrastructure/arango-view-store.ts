import { arangoErrorNum, bulkGet, runNamed } from '@sociograph/arango';
import { DomainError, isDomainError } from '@sociograph/kernel';
import type { Database } from 'arangojs';
import type { ProfileRow, RowsBeside, SearchQuestion, SearchRow, SummaryRow } from '../projections/ports';
import { peopleOf, ViewStore } from '../projections/ports';
import { VIEW_QUERIES } from './aql';
import { guarded, storeRefused, withoutConflict } from './store-requests';

export interface ViewCollections {
  readonly profiles: string;
  readonly summaries: string;
  /** One document, `writer`: the highest fence that was claimed. */
  readonly state: string;
  readonly groups: string;
  readonly posts: string;
  readonly search: string;
  readonly rankings: string;
}

export const COLLECTIONS: ViewCollections = {
  profiles: 'user_profile_read',
  summaries: 'graph_summary',
  state: 'projector_state',
  groups: 'group_read',
  posts: 'post_read',
  search: 'search_read',
  rankings: 'rankings',
};

const WRITER = 'writer';
const PAGE = 1000;
/** After so long the store ends a search: nobody waits longer, and nobody else waits for it. */
const SEARCH_SECONDS = 2;
const RAN_TOO_LONG = 1500;
const TRIES = 10;
const CONFLICT = 1200;
const DOCUMENT_NOT_FOUND = 1202;
const UNIQUE_CONSTRAINT = 1210;
const RETRIED: ReadonlySet<number> = new Set([CONFLICT, UNIQUE_CONSTRAINT]);

type Stored<Row> = Omit<Row, 'key'> & { _key: string };

/**
 * Rows in ArangoDB, written whole by the document API: one request per call, `overwriteMode: replace`, so that
 * repeating it is harmless. What answers with a conflict is written again.
 */
export class ArangoViewStore extends ViewStore {
  constructor(
    private readonly db: Database,
    private readonly names: ViewCollections = COLLECTIONS,
  ) {
    super();
  }

  async highestFence(): Promise<number> {
    return (await this.find<{ fence: number }>(this.names.state, WRITER))?.fence ?? 0;
  }

  async claim(fence: number): Promise<void> {
    const collection = this.db.collection(this.names.state);
    await withoutConflict('claim the fence', async () => {
      const state = await this.find<{ fence: number; _rev: string }>(this.names.state, WRITER);
      if (state !== undefined && state.fence >= fence) throw superseded(fence, state.fence);
      if (state === undefined) await collection.save({ _key: WRITER, fence });
      else await collection.replace(WRITER, { fence }, { ifMatch: state._rev });
    });
  }

  writeProfiles(rows: readonly ProfileRow[]): Promise<void> {
    return this.write(this.names.profiles, rows);
  }

  writeSummaries(rows: readonly SummaryRow[]): Promise<void> {
    return this.write(this.names.summaries, rows);
  }

  removeProfiles(keys: readonly string[]): Promise<void> {
    return this.remove(this.names.profiles, keys);
  }

  async removeOlderThan(fence: number): Promise<void> {
    const { state: _, ...views } = this.names;
    for (const name of Object.values(views)) {
      for (;;) {
        const bind = { '@collection': name, fence, limit: PAGE };
        const keys = await runNamed<string>(this.db, VIEW_QUERIES.olderThan, bind);
        if (keys.length > 0) await this.remove(name, keys);
        if (keys.length < PAGE) break;
      }
    }
  }

  profile(key: string): Promise<ProfileRow | undefined> {
    return this.row<ProfileRow>(this.names.profiles, key);
  }

  writeRows<K extends keyof RowsBeside>(kind: K, rows: readonly RowsBeside[K][]): Promise<void> {
    return this.write(this.names[kind], rows);
  }

  removeRows(kind: keyof RowsBeside, keys: readonly string[]): Promise<void> {
    return this.remove(this.names[kind], keys);
  }

  async rowsOf<K extends keyof RowsBeside>(
    kind: K,
    keys: readonly string[],
  ): Promise<Map<string, RowsBeside[K]>> {
    if (keys.length === 0) return new Map();
    const found = await bulkGet<Omit<RowsBeside[K], 'key'>>(this.db, this.names[kind], keys);
    return new Map([...found].map(([key, document]) => [key, rowOf<RowsBeside[K]>(document)]));
  }

  async search({
    parts,
    after,
    ...question
  }: SearchQuestion): Promise<Pick<SearchRow, 'id' | 'at' | 'key'>[]> {
    const bind = {
      '@collection': this.names.search,
      ...question,
      parts: [...parts],
      at: after?.at ?? Number.MAX_SAFE_INTEGER,
      after: after?.key ?? '',
    };
    try {
      return await runNamed(this.db, VIEW_QUERIES.found, bind, SEARCH_SECONDS);
    } catch (error) {
      const cause = isDomainError(error) ? error.cause : error;
      if (arangoErrorNum(cause) !== RAN_TOO_LONG) throw error;
      throw new DomainError({
        code: 'VIEWS.SEARCH_TOO_COSTLY',
        kind: 'unprocessable',
        message: 'Too much begins with these letters: name more of them, or another word',
        fields: [{ field: 'q', message: 'finds too much' }],
      });
    }
  }

  async profilesOf(keys: readonly string[]): Promise<Map<string, ProfileRow>> {
    const found = await bulkGet<Omit<ProfileRow, 'key'>>(this.db, this.names.profiles, keys);
    return new Map([...found].map(([key, document]) => [key, rowOf<ProfileRow>(document)]));
  }

  summary(key: string): Promise<SummaryRow | undefined> {
    return this.row<SummaryRow>(this.names.summaries, key);
  }

  async people(): Promise<Map<string, number>> {
    const rows = await guarded('count people', () =>
      runNamed<Pick<SummaryRow, 'workspaceId' | 'users'>>(this.db, VIEW_QUERIES.usersOfGraphs, {
        '@collection': this.names.summaries,
      }),
    );
    return peopleOf(rows);
  }

  private async write<Row extends { key: string }>(name: string, rows: readonly Row[]): Promise<void> {
    let open = rows.map(({ key, ...row }) => ({ _key: key, ...row }));
    await this.untilDone(name, async () => {
      const collection = this.db.collection(name);
      const answers = await guarded(`write ${name}`, () =>
        collection.saveAll(open, { overwriteMode: 'replace' }),
      );
      const failed = failures(answers);
      open = open.filter((_, index) => failed.has(index));
      return [...failed.values()];
    });
  }

  private async remove(name: string, keys: readonly string[]): Promise<void> {
    let open = [...keys];
    await this.untilDone(name, async () => {
      const answers = await guarded(`remove from ${name}`, () => this.db.collection(name).removeAll(open));
      const failed = failures(answers);
      open = open.filter((_, index) => failed.has(index) && failed.get(index) !== DOCUMENT_NOT_FOUND);
      return [...failed.values()].filter((code) => code !== DOCUMENT_NOT_FOUND);
    });
  }

  /** Repeats `request`, which returns the codes of what failed, until nothing failed. */
  private async untilDone(name: string, request: () => Promise<number[]>): Promise<void> {
    let codes: number[] = [];
    for (let attempt = 0; attempt < TRIES; attempt++) {
      codes = await request();
      if (codes.length === 0) return;
      if (codes.some((code) => !RETRIED.has(code))) break;
    }
    throw storeRefused({ collection: name, rows: codes.length, errorNum: codes[0] ?? 0 });
  }

  private async row<Row extends { key: string }>(name: string, key: string): Promise<Row | undefined> {
    const found = await this.find<Stored<Row> & { _id?: string; _rev?: string }>(name, key);
    if (found === undefined) return undefined;
    return rowOf<Row>(found);
  }

  private async find<T extends object>(name: string, key: string): Promise<T | undefined> {
    const found = await guarded(`read ${name}`, () =>
      this.db.collection(name).document(key, { graceful: true }),
    );
    return (found as T | null) ?? undefined;
  }
}

function rowOf<Row extends { key: string }>(document: { _key: string; _id?: string; _rev?: string }): Row {
  const { _key, _id, _rev, ...row } = document;
  return { key: _key, ...row } as unknown as Row;
}

/** Index -> error number of the elements that the store refused. */
function failures(answers: readonly unknown[]): Map<number, number> {
  const failed = new Map<number, number>();
  answers.forEach((answer, index) => {
    const { error, errorNum } = answer as { error?: boolean; errorNum?: number };
    if (error === true) failed.set(index, errorNum ?? 0);
  });
  return failed;
}

function superseded(fence: number, stored: number): DomainError {
  return new DomainError({
    code: 'VIEWS.WRITER_SUPERSEDED',
    kind: 'conflict',
    message: 'A writer with a higher fence exists',
    facts: { fence, stored },
  });
}
