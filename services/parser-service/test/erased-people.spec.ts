import { Secret, TimeOrderedIds } from '@sociograph/kernel';
import { markOf, Suppressions } from '@sociograph/suppression';
import { eventually } from '@sociograph/testing';
import { friendListObserved, userObserved } from '@sociograph/contracts';
import type { OutgoingEvent } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import type { DispatchPlan } from '../src/domain/ports';
import {
  FilteringImports,
  FilteringLedger,
  FilteringObservations,
  withoutErased,
} from '../src/infrastructure/erased-people';
import { forgetErased } from '../src/infrastructure/forget-erased';
import { PgForgetting } from '../src/infrastructure/pg-forgetting';
import { SealedAnswers } from '../src/infrastructure/sealed-answers';
import { anImport } from './builders';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(60_000);

const KEY = new Secret(Buffer.alloc(32, 5).toString('base64'));
const SEALED = new SealedAnswers(KEY);
const ids = new TimeOrderedIds();
/** An id as a value, not as digits of a moment or of another id: `"8001"`, or `\"8001\"` where JSON lies in JSON. */
const NAMED = (id: string): RegExp => new RegExp(`"${id}\\\\?"`);
const lane = { workspaceId: 'demo', network: 'toy' };
const nothing = {
  done: [],
  gaps: [],
  long: [],
  more: [],
  again: [],
  found: [],
  positions: {},
  friendshipObservations: 0,
};

let database: ScratchDatabase;
let prisma: ScratchDatabase['prisma'];
let app: ScratchDatabase['app'];
let worker: ScratchDatabase['worker'];

beforeAll(async () => {
  database = await scratchDatabase();
  ({ prisma, app, worker } = database);
});

afterAll(() => database.drop());

/** Marks, and adapters that filter by them, each time anew over the same database. */
function people() {
  const suppressions = new Suppressions(KEY);
  const dropped: [string, number][] = [];
  const known = {
    suppressions,
    caughtUp: Promise.resolve(),
    reached: () => 0,
    dropped: (kind: string, count: number) => void (count > 0 && dropped.push([kind, count])),
    stop: async () => undefined,
  };
  const forgetting = new PgForgetting(worker, suppressions);
  const gaps: string[] = [];
  return {
    known,
    dropped,
    gaps,
    suppressions,
    forgetting,
    imports: new FilteringImports(forgetting, prisma, app, worker),
    ledger: new FilteringLedger(worker, known, forgetting, SEALED, (cause) => void gaps.push(cause)),
    erase: (id: string) =>
      suppressions.add({ ...lane, mark: markOf(KEY, 'demo', 'toy', id), erasureId: 'e-1', at: 1 }),
  };
}

/** One call with so many lists of the import. */
const lists = (importId: string, callId: string, size: number) => (): DispatchPlan => ({
  calls: [{ callId, pack: { importId, kind: 'lists', size } }],
  closed: [],
});

const everything = async (): Promise<string> => {
  const tables = [
    'imports',
    'items',
    'calls',
    'idempotency_keys',
    'outbox',
    'dead_records',
    'erased_people',
    'import_events',
  ];
  const rows = await Promise.all(
    tables.map((table) =>
      database.admin.query<{ all: string }>(`SELECT coalesce(json_agg(t)::text, '') AS all FROM ${table} t`),
    ),
  );
  return rows.map(({ rows: [row] }) => row?.all).join('\n');
};

describe('erased people in imports (PostgreSQL)', () => {
  it('are no seeds: the item is a gap about nobody from the beginning, and nothing names them', async () => {
    const { imports, ledger, erase } = people();
    erase('8001');
    const importId = ids.next();
    await imports.add(anImport({ id: importId, seeds: ['8001', '8002'] }));
    const callId = ids.next();
    expect(await ledger.dispatch(lane, lists(importId, callId, 5))).toBe(1);
    expect(await ledger.find(callId)).toMatchObject({ wanted: true, people: ['8002'] });
    expect(await everything()).not.toMatch(NAMED('8001'));
    const tally = await imports.tally('demo', importId, 5);
    expect(tally.filter(({ cause }) => cause === 'withdrawn')).toEqual(
      [
        expect.objectContaining({
          kind: 'friends',
          standing: 'gap',
          count: 1,
          people: [expect.stringMatching(/^#[0-9a-f]{16}$/)],
        }),
        expect.objectContaining({ kind: 'profile', standing: 'gap', count: 1 }),
      ].sort((a, b) => String(a).localeCompare(String(b))),
    );
    expect((await imports.find('demo', importId))?.job.snapshot.counters).toMatchObject({
      peopleKnown: 2,
      peopleDone: 1,
      peopleGaps: 1,
      listsKnown: 2,
      listsDone: 1,
      listsGaps: 1,
    });
  });

  it('are taken out of a call that was stored before; one that held nobody else is not wanted', async () => {
    const { imports, ledger, erase, dropped } = people();
    const importId = ids.next();
    await imports.add(anImport({ id: importId, seeds: ['8101', '8102', '8103'] }));
    const [both, alone] = [ids.next(), ids.next()];
    await ledger.dispatch(lane, () => ({
      calls: [
        { callId: both, pack: { importId, kind: 'lists', size: 2 } },
        { callId: alone, pack: { importId, kind: 'lists', size: 1 } },
      ],
      closed: [],
    }));
    erase('8101');
    erase('8103');
    expect(await ledger.find(both)).toMatchObject({
      wanted: true,
      people: ['8102'],
      items: [{ person: '8102' }],
    });
    expect(await ledger.find(alone)).toMatchObject({ wanted: false, people: [], items: [] });
    expect(dropped).toEqual([
      ['item', 1],
      ['item', 1],
    ]);
    expect(await ledger.begin(both)).toEqual([expect.objectContaining({ person: '8102' })]);
  });

  it('are not found again: a list that names them makes no item of them', async () => {
    const { imports, ledger, erase, dropped } = people();
    const importId = ids.next();
    await imports.add(anImport({ id: importId, seeds: ['8201'] }));
    const callId = ids.next();
    await ledger.dispatch(lane, lists(importId, callId, 1));
    await ledger.begin(callId);
    erase('8202');
    const found = ['8202', '8203'].map((person) => ({ person, depth: 1 }));
    expect(await ledger.finish(callId, { ...nothing, done: ['8201'], found })).toBe(true);
    expect(dropped).toEqual([['item', 1]]);
    const { rows } = await database.admin.query<{ person: string }>(
      `SELECT person FROM items WHERE import_id = $1 AND kind = 'profile' ORDER BY person`,
      [importId],
    );
    expect(rows.map(({ person }) => person)).toEqual(['8201', '8203']);
  });

  it('are not what makes a gap: the gaps of a call are told once, when it ends', async () => {
    const { imports, ledger, gaps } = people();
    const importId = ids.next();
    await imports.add(anImport({ id: importId, seeds: ['8251', '8252'] }));
    const callId = ids.next();
    await ledger.dispatch(lane, lists(importId, callId, 2));
    await ledger.begin(callId);
    const gap = { person: '8251', cause: 'private', detail: null } as const;
    const result = { ...nothing, done: ['8252'], gaps: [gap] };
    expect([await ledger.finish(callId, result), await ledger.finish(callId, result)]).toEqual([true, false]);
    expect(gaps).toEqual(['private']);
  });

  it('leave imports that know them when the mark comes, finished items too, and are looked for once', async () => {
    const { known, imports, ledger, erase, forgetting, suppressions } = people();
    const importId = ids.next();
    await imports.add(anImport({ id: importId, seeds: ['8301', '8302'] }));
    const callId = ids.next();
    await ledger.dispatch(lane, lists(importId, callId, 2));
    await ledger.begin(callId);
    await ledger.finish(callId, { ...nothing, done: ['8301', '8302'] });
    await database.admin.query(
      `INSERT INTO idempotency_keys (workspace_id, operation, key, body_hash, answer) VALUES
         ('demo', 'imports', 'a', 'x', '{"seeds": ["8301"]}'), ('demo', 'imports', 'b', 'x', '{"seeds": ["83010"]}')`,
    );
    const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
    const forgetter = forgetErased(known, forgetting, logger);
    erase('8301');
    await eventually(async () => expect(await everything()).not.toContain('"8301"'), { timeoutMs: 20_000 });
    await eventually(async () => {
      const { rows } = await database.admin.query('SELECT FROM erased_people WHERE mark = $1', [
        suppressions.markOf('demo', 'toy', '8301'),
      ]);
      expect(rows).toHaveLength(1);
    });
    await forgetter.stop();
    const kept = await database.admin.query<{ key: string }>('SELECT key FROM idempotency_keys');
    expect(kept.rows).toEqual([{ key: 'b' }]);
    const { rows } = await database.admin.query<{ state: string; count: number }>(
      `SELECT state, count(*) FROM items WHERE import_id = $1 AND kind = 'friends' GROUP BY 1`,
      [importId],
    );
    expect(rows).toEqual([{ state: 'done', count: 2 }]);
    expect((await imports.find('demo', importId))?.job.snapshot).toMatchObject({
      seeds: [expect.stringMatching(/^#/), '8302'],
      counters: { peopleKnown: 2, peopleDone: 1, peopleGaps: 1, listsDone: 2, listsGaps: 0 },
    });
    expect(await forgetting.removeAll(lane, [suppressions.markOf('demo', 'toy', '8301')])).toBe(false);
  });

  it('leave no answer behind that a process kept of somebody else in the same network', async () => {
    const { imports, ledger, erase, forgetting, suppressions } = people();
    const importId = ids.next();
    await imports.add(anImport({ id: importId, seeds: ['8352'] }));
    const callId = ids.next();
    await ledger.dispatch(lane, lists(importId, callId, 1));
    await ledger.begin(callId);
    const body = '{"response": {"items": ["8351"]}}';
    const seen = { people: ['8352'], tries: 0, status: 200, observedAt: 1, keyId: 'k', fence: 1 };
    expect(await ledger.keep(callId, { ...seen, body })).toBe(true);
    // In its row it does not show anybody, whoever was or will be erased.
    expect(await everything()).not.toMatch(NAMED('8351'));
    expect((await ledger.find(callId))?.kept).toEqual({ ...seen, body });
    await database.admin.query('UPDATE calls SET answer = $2 WHERE id = $1', [callId, body]);
    expect((await ledger.find(callId))?.kept?.body).toBe(body);
    erase('8351');
    await forgetting.removeAll(lane, [suppressions.markOf('demo', 'toy', '8351')]);
    expect(await everything()).not.toMatch(NAMED('8351'));
    expect(await ledger.find(callId)).toMatchObject({ people: ['8352'], kept: undefined });
  });

  it('are not published, neither by themselves nor in lists of others', async () => {
    const { known, erase, dropped } = people();
    erase('8401');
    const sent: OutgoingEvent[] = [];
    const log = new FilteringObservations(
      {
        publish: async (events) => {
          sent.push(...events);
          return {};
        },
      },
      known,
    );
    const sighting = { ...lane, importId: 'i', callId: 'c', keyId: 'k', observedAt: 1, fence: 1 };
    const profile = { firstName: 'Vera', lastName: 'Orlova' };
    await log.publish(sighting, [
      { kind: 'person', person: '8401', state: 'active', profile },
      { kind: 'person', person: '8402', state: 'active', profile },
      { kind: 'friend-list', person: '8401', outcome: 'complete', friendIds: ['8402'] },
      { kind: 'friend-list', person: '8402', outcome: 'complete', friendIds: ['8401', '8403'] },
    ]);
    expect(sent.map(({ message, key }) => [message, key])).toEqual([
      [userObserved, 'demo:toy:user:8402'],
      [friendListObserved, 'demo:toy:user:8402'],
    ]);
    expect(sent[1]?.value).toMatchObject({ friendIds: ['8403'], outcome: 'complete' });
    expect(JSON.stringify(sent)).not.toContain('8401');
    expect(dropped).toEqual([['observation', 2]]);
    const foreign = { ...sighting, workspaceId: 'other' };
    await log.publish(foreign, [{ kind: 'person', person: '8401', state: 'active', profile }]);
    expect(sent).toHaveLength(3);
  });

  it('are not named by who repeats their posts, and posts of theirs are not published', () => {
    const { suppressions, erase } = people();
    erase('8401');
    const head = { publishedAt: 1, text: 'x' };
    const post = (postId: string, rest: object) => ({
      ...{ kind: 'post' as const, postId },
      post: { ownerKind: 'user' as const, ownerId: '8402', ...head, ...rest },
    });
    const published = [
      post('8401_1', { ownerId: '8401' }),
      post('8402_2', { authorId: '8401' }),
      post('8402_3', { authorId: '8402', repostOf: '8401_7' }),
      post('8402_4', { repostOf: '84010_7' }),
      post('8402_5', { repostOf: '-8401_7' }),
    ].flatMap((observation) => withoutErased(observation, lane, suppressions));
    expect(published).toEqual([
      post('8402_3', { authorId: '8402' }),
      post('8402_4', { repostOf: '84010_7' }),
      post('8402_5', { repostOf: '-8401_7' }),
    ]);
  });

  it('waits with everything until all marks are known', async () => {
    const { known, forgetting } = people();
    let open!: () => void;
    const waiting = { ...known, caughtUp: new Promise<void>((resolve) => (open = resolve)) };
    const ledger = new FilteringLedger(worker, waiting, forgetting, SEALED);
    const order: string[] = [];
    const found = ledger.find(ids.next()).then(() => order.push('found'));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('known');
    open();
    await found;
    expect(order).toEqual(['known', 'found']);
  });
});
