import { Budget } from '../aql/budget';
import { runQuery } from '../aql/executor';
import { attribute } from '../aql/values';
import { ArangoFault } from '../faults';
import type { Mischief } from '../mischief';
import type { Engine } from '../store/engine';
import { type Answer, type Exchange, objectBody, success } from './exchange';

const DEFAULT_BATCH = 1000;
const DEFAULT_TTL_SECONDS = 30;

interface OpenCursor {
  rows: unknown[];
  at: number;
  batch: number;
  batchSize: number;
  ttlMs: number;
  diesAt: number;
  count: number | undefined;
}

/** `/_api/cursor`: queries run to their end at once; what does not fit one batch waits in memory until its ttl. */
export class CursorRoutes {
  readonly #cursors = new Map<string, OpenCursor>();
  #nextId = 1000;

  constructor(
    private readonly engine: Engine,
    private readonly mischief: Mischief,
  ) {}

  handle(exchange: Exchange): Answer {
    this.#buryDead();
    const id = exchange.path[2];
    if (id === undefined) return this.#open(exchange);
    const cursor = this.#cursors.get(id);
    if (!cursor) throw new ArangoFault(1600, 'cursor not found');
    if (exchange.method === 'DELETE') {
      this.#cursors.delete(id);
      return success(202, { id });
    }
    return this.#batch(200, id, cursor);
  }

  #open(exchange: Exchange): Answer {
    const { query, bindVars = {}, batchSize = DEFAULT_BATCH, count, ttl, options } = objectBody(exchange);
    if (typeof query !== 'string') throw new ArangoFault(1502, 'query is empty');
    if (!Number.isInteger(batchSize) || Number(batchSize) <= 0)
      throw new ArangoFault(10, 'batchSize must be positive');
    const { database } = exchange;
    const source = {
      collection: (name: string) => this.engine.collection(database, name),
      has: (name: string) => this.engine.hasCollection(database, name),
    };
    const startedAt = performance.now();
    const budget = Budget.of(attribute(options, 'maxRuntime'));
    const bound = bindVars as Record<string, unknown>;
    const { rows, stats } = runQuery(query, bound, source, this.mischief, budget);
    const executionTime = (performance.now() - startedAt) / 1000;
    const ttlMs = (typeof ttl === 'number' ? ttl : DEFAULT_TTL_SECONDS) * 1000;
    const cursor: OpenCursor = {
      rows,
      at: 0,
      batch: 1,
      batchSize: Number(batchSize),
      ttlMs,
      diesAt: Date.now() + ttlMs,
      count: count === true ? rows.length : undefined,
    };
    const extra = { warnings: [], stats: { ...STATS, ...stats, executionTime } };
    return this.#batch(201, String(this.#nextId++), cursor, extra);
  }

  #batch(
    status: number,
    id: string,
    cursor: OpenCursor,
    extra: object = { warnings: [], stats: STATS },
  ): Answer {
    const result = cursor.rows.slice(cursor.at, cursor.at + cursor.batchSize);
    cursor.at += cursor.batchSize;
    cursor.diesAt = Date.now() + cursor.ttlMs;
    const hasMore = cursor.at < cursor.rows.length;
    if (hasMore) this.#cursors.set(id, cursor);
    else this.#cursors.delete(id);
    cursor.batch += 1;
    return success(status, {
      result,
      hasMore,
      ...(hasMore ? { id, nextBatchId: String(cursor.batch) } : {}),
      ...(cursor.count === undefined ? {} : { count: cursor.count }),
      cached: false,
      extra,
    });
  }

  #buryDead(): void {
    const now = Date.now();
    for (const [id, cursor] of this.#cursors) if (cursor.diesAt < now) this.#cursors.delete(id);
  }
}

const STATS = {
  writesExecuted: 0,
  writesIgnored: 0,
  scannedFull: 0,
  scannedIndex: 0,
  cursorsCreated: 0,
  cursorsRearmed: 0,
  cacheHits: 0,
  cacheMisses: 0,
  filtered: 0,
  httpRequests: 0,
  executionTime: 0,
  peakMemoryUsage: 0,
  intermediateCommits: 0,
};
