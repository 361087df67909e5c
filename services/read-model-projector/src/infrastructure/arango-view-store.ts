import { DomainError } from '@sociograph/kernel';
import type { Database } from 'arangojs';
import type { ProfileRow, SummaryRow } from '../projections/ports';
import { ViewStore } from '../projections/ports';
import { VIEW_QUERIES } from './aql';

export const COLLECTIONS = {
  profiles: 'user_profile_read',
  summaries: 'graph_summary',
  /** One document, `writer`: the highest fence that was claimed. */
  state: 'projector_state',
} as const;

const WRITER = 'writer';
const PAGE = 1000;
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
  constructor(private readonly db: Database) {
    super();
  }

  async highestFence(): Promise<number> {
    return (await this.find<{ fence: number }>(COLLECTIONS.state, WRITER))?.fence ?? 0;
  }

  async claim(fence: number): Promise<void> {
    const state = await this.find<{ fence: number; _rev: string }>(COLLECTIONS.state, WRITER);
    if (state !== undefined && state.fence >= fence) throw superseded(fence, state.fence);
    const collection = this.db.collection(COLLECTIONS.state);
    await guarded(async () => {
      if (state === undefined) await collection.save({ _key: WRITER, fence });
      else await collection.replace(WRITER, { fence }, { ifMatch: state._rev });
    });
  }

  writeProfiles(rows: readonly ProfileRow[]): Promise<void> {
    return this.write(COLLECTIONS.profiles, rows);
  }

  writeSummaries(rows: readonly SummaryRow[]): Promise<void> {
    return this.write(COLLECTIONS.summaries, rows);
  }

  removeProfiles(keys: readonly string[]): Promise<void> {
    return this.remove(COLLECTIONS.profiles, keys);
  }

  async removeOlderThan(fence: number): Promise<void> {
    for (const name of [COLLECTIONS.profiles, COLLECTIONS.summaries]) {
      for (;;) {
        const keys = await guarded(async () => {
          const bind = { '@collection': name, fence, limit: PAGE };
          return (await this.db.query<string>(VIEW_QUERIES.olderThan, bind)).all();
        });
        if (keys.length > 0) await this.remove(name, keys);
        if (keys.length < PAGE) break;
      }
    }
  }

  profile(key: string): Promise<ProfileRow | undefined> {
    return this.row<ProfileRow>(COLLECTIONS.profiles, key);
  }

  summary(key: string): Promise<SummaryRow | undefined> {
    return this.row<SummaryRow>(COLLECTIONS.summaries, key);
  }

  private async write<Row extends { key: string }>(name: string, rows: readonly Row[]): Promise<void> {
    let open = rows.map(({ key, ...row }) => ({ _key: key, ...row }));
    await this.untilDone(name, async () => {
      const collection = this.db.collection(name);
      const answers = await guarded(() => collection.saveAll(open, { overwriteMode: 'replace' }));
      const failed = failures(answers);
      open = open.filter((_, index) => failed.has(index));
      return [...failed.values()];
    });
  }

  private async remove(name: string, keys: readonly string[]): Promise<void> {
    let open = [...keys];
    await this.untilDone(name, async () => {
      const answers = await guarded(() => this.db.collection(name).removeAll(open));
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
    throw new DomainError({
      code: 'VIEWS.STORE_REFUSED',
      kind: 'unavailable',
      message: 'The store did not take all rows',
      facts: { collection: name, rows: codes.length, errorNum: codes[0] ?? 0 },
    });
  }

  private async row<Row extends { key: string }>(name: string, key: string): Promise<Row | undefined> {
    const found = await this.find<Stored<Row> & { _id?: string; _rev?: string }>(name, key);
    if (found === undefined) return undefined;
    const { _key, _id, _rev, ...row } = found;
    return { key: _key, ...row } as unknown as Row;
  }

  private find<T extends object>(name: string, key: string): Promise<T | undefined> {
    return guarded(async () => (await this.db.collection(name).document(key, { graceful: true })) as T | null).then(
      (found) => found ?? undefined,
    );
  }
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

async function guarded<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    throw new DomainError({
      code: 'VIEWS.STORE_AWAY',
      kind: 'unavailable',
      message: 'The store of the views cannot be reached at the moment',
      cause,
    });
  }
}

function superseded(fence: number, stored: number): DomainError {
  return new DomainError({
    code: 'VIEWS.WRITER_SUPERSEDED',
    kind: 'conflict',
    message: 'A writer with a higher fence exists',
    facts: { fence, stored },
  });
}
