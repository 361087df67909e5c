import { randomUUID } from 'node:crypto';
import { DEAD_LETTER_HEADERS, EVENT_HEADERS, TOPICS } from '@sociograph/contracts';
import { TimeOrderedIds } from '@sociograph/kernel';
import { createKafka } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { testServers } from '@sociograph/testing';
import type { Kafka } from 'kafkajs';
import { KafkaDeadRecords } from '../src/infrastructure/dead-records';
import { PgCallLedger } from '../src/infrastructure/pg-call-ledger';
import { PrismaImports } from '../src/infrastructure/prisma-imports';
import { anImport } from './builders';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(120_000);

const ids = new TimeOrderedIds();
const deadTopic = `spec.dead-${randomUUID().slice(0, 8)}`;
let kafka: Kafka;
let database: ScratchDatabase;
let prisma: ScratchDatabase['prisma'];
let app: ScratchDatabase['app'];
let worker: ScratchDatabase['worker'];
let imports: PrismaImports;
let ledger: PgCallLedger;

beforeAll(async () => {
  const servers = testServers();
  kafka = createKafka({
    brokers: servers.kafkaBrokers,
    username: servers.adminKafkaUsername,
    password: servers.adminKafkaPassword,
    clientId: 'spec',
    logger: createLogger({ service: 'spec', instance: 'spec', level: 'silent' }),
  });
  await withAdmin((admin) =>
    admin.createTopics({ waitForLeaders: true, topics: [{ topic: deadTopic, numPartitions: 2 }] }),
  );
  database = await scratchDatabase();
  ({ prisma, app, worker } = database);
  imports = new PrismaImports(prisma, app, worker);
  ledger = new PgCallLedger(worker);
});

afterAll(async () => {
  await withAdmin((admin) => admin.deleteTopics({ topics: [deadTopic] }));
  await database.drop();
});

async function withAdmin(work: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await work(admin);
  await admin.disconnect();
}

const dead = (): KafkaDeadRecords =>
  new KafkaDeadRecords(kafka, worker, () => 9_000, [{ topic: TOPICS.friendLists.name, deadTopic }]);

async function send(...values: (object | string)[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = values.map((value) => ({
    key: 'k',
    value: typeof value === 'string' ? value : JSON.stringify(value),
    headers: { [EVENT_HEADERS.type]: 'unknown', [DEAD_LETTER_HEADERS.code]: 'EVENT.INVALID' },
  }));
  await producer.send({ topic: deadTopic, messages });
  await producer.disconnect();
}

/** An import of three people whose lists are in one call that has begun. */
async function started() {
  const [importId, callId, workspaceId] = [ids.next(), ids.next(), `w-${ids.next()}`];
  await imports.add(anImport({ id: importId, workspaceId, seeds: ['1', '2', '3'] }));
  const calls = [{ callId, pack: { importId, kind: 'lists' as const, size: 3 } }];
  await ledger.dispatch({ workspaceId, network: 'toy' }, () => ({ calls, closed: [] }));
  await ledger.begin(callId);
  const finish = () =>
    ledger.finish(callId, {
      ...{ done: ['1', '2', '3'], gaps: [], long: [], more: [], again: [], found: [] },
      ...{ positions: {}, friendshipObservations: 0 },
    });
  const record = (userId: string, changes: object = {}) => ({
    ...{ workspaceId, network: 'toy', userId, source: { importId, callId, keyId: 'k' }, ...changes },
  });
  const lists = async () => {
    const found = await imports.tally(workspaceId, importId, 5);
    return found
      .filter(({ kind, standing }) => kind === 'friends' && standing === 'gap')
      .map(({ cause, detail, people }) => [cause, detail, ...people]);
  };
  const counters = async () => (await imports.find(workspaceId, importId))?.job.snapshot.counters;
  return { importId, callId, workspaceId, finish, record, lists, counters };
}

describe('records that the graph store could not take', () => {
  it('are gaps of the import that they came from, whatever is wrong with them otherwise', async () => {
    const { finish, record, lists, counters, importId } = await started();
    await finish();
    await send(
      record('2'),
      'no json',
      { workspaceId: 'x' },
      record('3', { source: { importId: 'no id', callId: 7 } }),
      record('3', { workspaceId: 'another' }),
      record('3', { source: { importId: ids.next(), callId: ids.next() } }),
      [] as object,
    );
    await dead().sweep();
    expect(await lists()).toEqual([['dead-lettered', 'EVENT.INVALID', '2']]);
    expect(await counters()).toMatchObject({ listsKnown: 3, listsDone: 3, listsGaps: 1 });
    expect((await imports.settling()).some(({ job }) => job.snapshot.id === importId)).toBe(false);
  });

  it('count once, whoever reads them and how often, also after a retry that succeeded', async () => {
    const { finish, record, lists, counters, importId, workspaceId } = await started();
    await finish();
    await send(record('1'));
    await Promise.all([dead().sweep(), dead().sweep()]);
    await dead().sweep();
    expect(await counters()).toMatchObject({ listsDone: 3, listsGaps: 1 });
    await imports.retry(workspaceId, importId, ['dead-lettered'], (job, reopened) => job.retry(reopened, 5));
    const callId = ids.next();
    const calls = [{ callId, pack: { importId, kind: 'lists' as const, size: 3 } }];
    await ledger.dispatch({ workspaceId, network: 'toy' }, () => ({ calls, closed: [] }));
    expect((await ledger.begin(callId)).map(({ person }) => person)).toEqual(['1']);
    const nothing = { gaps: [], long: [], more: [], again: [], found: [], positions: {} };
    await ledger.finish(callId, { ...nothing, done: ['1'], friendshipObservations: 0 });
    await dead().sweep();
    expect([await lists(), (await counters())?.listsGaps]).toEqual([[], 0]);
  });

  it('wait for the end of an item that further calls go on with, and then name nobody', async () => {
    const { record, lists, importId, callId, workspaceId } = await started();
    const nothing = { gaps: [], long: [], again: [], found: [], positions: {}, friendshipObservations: 0 };
    const more = [{ person: '1', cursor: 'page 2' }];
    await ledger.finish(callId, { ...nothing, done: ['2', '3'], more });
    await send(record('1'));
    await dead().sweep();
    expect(await lists()).toEqual([]);
    const next = ids.next();
    const calls = [{ callId: next, pack: { importId, kind: 'lists' as const, size: 3 } }];
    await ledger.dispatch({ workspaceId, network: 'toy' }, () => ({ calls, closed: [] }));
    await ledger.begin(next);
    await dead().sweep();
    await ledger.finish(next, { ...nothing, done: ['1'], more: [] });
    await dead().sweep();
    expect(await lists()).toEqual([['dead-lettered', 'EVENT.INVALID', '1']]);
    const { rows } = await database.admin.query<{ person: string }>(
      'SELECT person FROM dead_records WHERE import_id = $1',
      [importId],
    );
    expect(rows).toEqual([{ person: '' }]);
  });

  it('wait for the call that published them, and are nothing where that call was put back', async () => {
    const [slow, broken] = [await started(), await started()];
    await send(slow.record('1'), broken.record('1'));
    await dead().sweep();
    expect(await slow.lists()).toEqual([]);
    await slow.finish();
    await ledger.putBack(broken.callId, { holdMs: 0, refund: false });
    await dead().sweep();
    expect(await slow.lists()).toEqual([['dead-lettered', 'EVENT.INVALID', '1']]);
    expect(await broken.lists()).toEqual([]);
    const { rows } = await database.admin.query<{ count: number }>(
      'SELECT count(*) AS count FROM dead_records WHERE NOT applied',
    );
    expect(rows[0]?.count).toBe(0);
  });
});
