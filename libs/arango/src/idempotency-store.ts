import { createHash } from 'node:crypto';
import {
  DomainError,
  IdempotencyStore,
  type Clock,
  type IdempotencyAnswer,
  type IdempotencyClaim,
  type IdempotencyRequest,
} from '@sociograph/kernel';
import type { Database } from 'arangojs';
import { aqlCatalogue, runNamed } from './aql-catalogue';
import { bulkGet, bulkWrite } from './bulk';
import { ensureCollection } from './migrations';

const COLLECTION = 'idempotency_keys';
const KEPT_MS = 24 * 60 * 60 * 1000;
/** A first request that died without an answer gives its key free after this long. */
const ABANDONED_MS = 60_000;
const ATTEMPTS = 20;

const QUERIES = aqlCatalogue({
  forgotten: {
    text: `FOR k IN idempotency_keys FILTER k.createdAt <= @before LIMIT 1000 RETURN { _key: k._key, _rev: k._rev }`,
  },
  ofWorkspace: {
    text: `FOR k IN idempotency_keys FILTER k.workspaceId == @workspaceId RETURN { _key: k._key, _rev: k._rev }`,
  },
});

interface KeptAnswer {
  workspaceId: string;
  bodyHash: string;
  answer: IdempotencyAnswer | null;
  createdAt: number;
}

/**
 * Answers of creating requests for 24 h, in the collection `idempotency_keys`, which the services on one database
 * share (the operation tells them apart). Of two equal requests at once, the one whose insert succeeds is the first.
 */
export class ArangoIdempotencyStore extends IdempotencyStore {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** Collection and indexes; a step of a service's migrations. */
  static async makeRoom(db: Database): Promise<void> {
    await ensureCollection(db, COLLECTION, 'document');
    for (const name of ['createdAt', 'workspaceId'])
      await db.collection(COLLECTION).ensureIndex({ type: 'persistent', name, fields: [name] });
  }

  async claim(request: IdempotencyRequest): Promise<IdempotencyClaim> {
    const _key = keyOf(request);
    const { workspaceId, bodyHash } = request;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const now = this.clock.nowMs();
      const mine: KeptAnswer & { _key: string } = {
        _key,
        workspaceId,
        bodyHash,
        answer: null,
        createdAt: now,
      };
      const kept = await this.#read(_key);
      if (kept && !isOver(kept, now)) return claimOf(kept, bodyHash);
      const change = kept ? { replaces: [{ ...mine, _rev: kept._rev }] } : { inserts: [mine] };
      const { written } = await bulkWrite<KeptAnswer>(this.db, COLLECTION, change);
      if (written === 1) return { kind: 'first' };
    }
    throw contended();
  }

  /** Keeps the answer of the `first` request. */
  async complete(request: IdempotencyRequest, answer: IdempotencyAnswer): Promise<void> {
    const _key = keyOf(request);
    const { workspaceId, bodyHash } = request;
    const put = { _key, workspaceId, bodyHash, answer, createdAt: this.clock.nowMs() };
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { written } = await bulkWrite<KeptAnswer>(this.db, COLLECTION, { puts: [put] });
      if (written === 1) return;
    }
    throw contended();
  }

  /** Gives the key free again: the first request failed, so a repeat may try. */
  async release(request: IdempotencyRequest): Promise<void> {
    const _key = keyOf(request);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const kept = await this.#read(_key);
      if (!kept || kept.answer !== null) return;
      const { written } = await bulkWrite(this.db, COLLECTION, { removes: [{ _key, _rev: kept._rev }] });
      if (written === 1) return;
    }
  }

  /** Forgets the answers of a workspace: they may name someone who is to be forgotten. A repeat then counts as new. */
  async forget(workspaceId: string): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const removes = await runNamed<{ _key: string; _rev: string }>(this.db, QUERIES.ofWorkspace, {
        workspaceId,
      });
      if (removes.length === 0) return;
      await bulkWrite(this.db, COLLECTION, { removes });
    }
    throw contended();
  }

  /** Removes what is over; what a conflict keeps goes the next time. */
  async sweep(): Promise<void> {
    const before = this.clock.nowMs() - KEPT_MS;
    const removes = await runNamed<{ _key: string; _rev: string }>(this.db, QUERIES.forgotten, { before });
    if (removes.length > 0) await bulkWrite(this.db, COLLECTION, { removes });
  }

  async #read(key: string): Promise<(KeptAnswer & { _rev: string }) | undefined> {
    return (await bulkGet<KeptAnswer>(this.db, COLLECTION, [key])).get(key);
  }
}

function contended(): DomainError {
  return new DomainError({
    code: 'ARANGO.TOO_CONTENDED',
    kind: 'unavailable',
    message: 'Too many requests with this Idempotency-Key at once',
    retryAfterSeconds: 1,
  });
}

function isOver({ answer, createdAt }: KeptAnswer, now: number): boolean {
  return createdAt <= now - (answer === null ? ABANDONED_MS : KEPT_MS);
}

function claimOf(kept: KeptAnswer, bodyHash: string): IdempotencyClaim {
  if (kept.bodyHash !== bodyHash) return { kind: 'different-body' };
  return kept.answer === null ? { kind: 'in-progress' } : { kind: 'repeat', answer: kept.answer };
}

/** The parts cannot be mistaken for one another: JSON says where each ends. */
function keyOf({ workspaceId, operation, key }: IdempotencyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([workspaceId, operation, key]))
    .digest('hex');
}
