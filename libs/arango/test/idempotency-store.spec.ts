import { randomUUID } from 'node:crypto';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import type { IdempotencyRequest } from '@sociograph/kernel';
import { fakeClock } from '@sociograph/testing';
import { ArangoIdempotencyStore, connectArango } from '../src';

jest.setTimeout(120_000);

const NOW = 1_795_000_000_000;
const DAY = 86_400_000;

describe('answers to creating requests', () => {
  let server: ContractServer;
  let db: ReturnType<typeof connectArango>;

  beforeAll(async () => {
    server = await contractServer({ seed: 5, conflictRate: 0.1 });
    db = connectArango(server);
    await ArangoIdempotencyStore.makeRoom(db);
    await ArangoIdempotencyStore.makeRoom(db);
  });
  afterAll(async () => {
    db.close();
    await server.stop();
  });

  const clock = fakeClock(NOW);
  const request = (changes: Partial<IdempotencyRequest> = {}): IdempotencyRequest => ({
    workspaceId: 'w',
    key: randomUUID(),
    operation: 'POST /v1/exports',
    bodyHash: 'a',
    ...changes,
  });
  const answer = { status: 202, body: { id: '1' }, headers: { location: '/v1/exports/1' } };
  const make = (): ArangoIdempotencyStore => new ArangoIdempotencyStore(db, clock);

  it('are given again to the same request, and to no other', async () => {
    const store = make();
    const one = request();
    expect(await store.claim(one)).toEqual({ kind: 'first' });
    expect(await store.claim(one)).toEqual({ kind: 'in-progress' });
    await store.complete(one, answer);
    expect(await make().claim(one)).toEqual({ kind: 'repeat', answer });
    expect(await store.claim({ ...one, bodyHash: 'b' })).toEqual({ kind: 'different-body' });
    expect(await store.claim({ ...one, workspaceId: 'v' })).toEqual({ kind: 'first' });
    expect(await store.claim({ ...one, operation: 'POST /v1/other' })).toEqual({ kind: 'first' });
  });

  it('are made by one of twenty equal requests', async () => {
    const one = request();
    const claims = await Promise.all(Array.from({ length: 20 }, () => make().claim(one)));
    expect(claims.filter(({ kind }) => kind === 'first')).toHaveLength(1);
    expect(claims.filter(({ kind }) => kind === 'in-progress')).toHaveLength(19);
  });

  it('give their key free when the request failed, died a minute ago, or was answered a day ago', async () => {
    const store = make();
    const [failed, died, old] = [request(), request(), request()];
    for (const one of [failed, died, old]) await store.claim(one);
    await store.release(failed);
    expect(await store.claim(failed)).toEqual({ kind: 'first' });
    await store.complete(old, answer);
    await store.release(old);
    clock.advance(59_999);
    expect((await store.claim(died)).kind).toBe('in-progress');
    clock.advance(1);
    expect(await store.claim(died)).toEqual({ kind: 'first' });
    clock.advance(DAY - 60_001);
    expect((await store.claim(old)).kind).toBe('repeat');
    clock.advance(1);
    expect(await store.claim(old)).toEqual({ kind: 'first' });
  });

  it('are removed after a day, and with everything else that may name someone', async () => {
    const store = make();
    const count = async (): Promise<number> => (await db.collection('idempotency_keys').count()).count;
    const sweep = async (): Promise<void> => {
      // A removal may lose against a conflict of the stand-in: it is repeated, as the chore does.
      for (let n = 0; n < 5; n++) await store.sweep();
    };
    clock.advance(DAY);
    await sweep();
    expect(await count()).toBe(0);
    const [mine, others] = [request({ workspaceId: 'mine' }), request({ workspaceId: 'others' })];
    for (const one of [mine, others]) await store.claim(one);
    await store.complete(mine, answer);
    await store.forget('mine');
    expect(await store.claim(mine)).toEqual({ kind: 'first' });
    expect((await store.claim(others)).kind).toBe('in-progress');
    clock.advance(DAY - 1);
    await sweep();
    expect(await count()).toBe(2);
    clock.advance(1);
    await sweep();
    expect(await count()).toBe(0);
  });
});
