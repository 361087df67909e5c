import { randomUUID } from 'node:crypto';
import { eventually } from '@sociograph/testing';
import type { Act } from '../src/domain/audit';
import { ImportJob } from '../src/domain/import-job';
import type { Upload, UploadedPerson } from '../src/domain/upload';
import { FilePool } from '../src/infrastructure/networks/file/pool';
import { PgRetention } from '../src/infrastructure/pg-retention';
import { forgetUploaded, PgUploads } from '../src/infrastructure/pg-uploads';
import { PrismaImports } from '../src/infrastructure/prisma-imports';
import { anImport } from './builders';
import { risingId } from './rising-id';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(60_000);

let database: ScratchDatabase;
let erased: string[] = [];
const suppressions = {
  get size(): number {
    return erased.length;
  },
  isSuppressed: (_workspace: string, network: string, id: string): boolean =>
    erased.includes(`${network} ${id}`),
};

beforeAll(async () => {
  database = await scratchDatabase();
});

afterAll(() => database?.drop());

beforeEach(() => {
  erased = [];
});

const uploads = (most?: number): PgUploads =>
  new PgUploads(database.app, database.worker, suppressions, most);
const newWorkspace = (): string => `w-${randomUUID().slice(0, 8)}`;

function anUpload(changes: Partial<Upload> = {}): Upload {
  return {
    ...{ id: risingId(), workspaceId: 'demo', network: 'file-a', kind: 'friendships', digest: randomUUID() },
    ...{ bytes: 8, people: 3, friendships: 2, fields: [], createdBy: 'someone', createdAt: 5, keptSince: 5 },
    ...changes,
  };
}

const LISTS: UploadedPerson[] = [
  { person: '1', friends: ['2', '10'] },
  { person: '2', friends: ['1'] },
  { person: '10', friends: ['1'] },
];

const rowsOf = async (id: string): Promise<unknown[]> =>
  (
    await database.admin.query(
      'SELECT person, friends, profile FROM uploaded_people WHERE upload_id = $1 ORDER BY person COLLATE "C"',
      [id],
    )
  ).rows;

describe('uploads', () => {
  it('are stored with a row for each person, in more portions than one', async () => {
    const many = Array.from({ length: 4_500 }, (_, n) => ({
      person: `p${n}`,
      profile: { firstName: `N${n}` },
    }));
    const upload = anUpload({ kind: 'people', fields: ['city'], people: many.length });
    expect(await uploads().add(upload, many)).toEqual({ upload, isNew: true });
    expect(await uploads().find('demo', upload.id)).toEqual(upload);
    expect(await rowsOf(upload.id)).toHaveLength(4_500);
    const lists = anUpload();
    await uploads().add(lists, LISTS);
    expect(await rowsOf(lists.id)).toEqual([
      { person: '1', friends: '2,10', profile: null },
      { person: '10', friends: '1', profile: null },
      { person: '2', friends: '1', profile: null },
    ]);
  });

  it('are audited when they come and when they go, and not when they are there already', async () => {
    const workspaceId = newWorkspace();
    const upload = anUpload({ workspaceId });
    const act = (action: string): Act => ({
      ...{ actor: { kind: 'person', id: 'ada' }, action, auditId: randomUUID(), at: 7 },
    });
    await uploads().add(upload, LISTS, act('upload.create'));
    await uploads().add({ ...upload, id: risingId() }, LISTS, act('upload.create'));
    await uploads().remove(workspaceId, upload.id, act('upload.delete'));
    await uploads().remove(workspaceId, upload.id, act('upload.delete'));
    const { rows } = await database.admin.query(
      `SELECT payload->>'action' AS action, payload->>'target' AS target FROM outbox
       WHERE payload->>'workspaceId' = $1 ORDER BY id`,
      [workspaceId],
    );
    const target = `upload/${upload.id}`;
    expect(rows).toEqual([
      { action: 'upload.create', target },
      { action: 'upload.delete', target },
    ]);
  });

  it('are the same when they are the same: twenty at once leave one, which is kept anew', async () => {
    const first = anUpload({ workspaceId: newWorkspace() });
    const again = Array.from({ length: 20 }, (_, n) => ({ ...first, id: risingId(), keptSince: 6 + n }));
    const taken = await Promise.all(again.map((upload) => uploads().add(upload, LISTS)));
    expect(taken.filter(({ isNew }) => isNew)).toHaveLength(1);
    const [id, ...others] = [...new Set(taken.map(({ upload }) => upload.id))];
    expect(others).toEqual([]);
    const late = await uploads().add({ ...first, id: risingId(), keptSince: 99 }, LISTS);
    expect([late.isNew, late.upload.id, late.upload.keptSince, late.upload.createdAt]).toEqual([
      false,
      id,
      99,
      5,
    ]);
    for (const other of [{ network: 'file-b' }, { kind: 'people' as const }, { workspaceId: newWorkspace() }])
      expect((await uploads().add({ ...first, id: risingId(), ...other }, LISTS)).isNew).toBe(true);
  });

  it('leave nothing when a row cannot be stored', async () => {
    const upload = anUpload();
    await expect(uploads().add(upload, [...LISTS, { person: '1', friends: [] }])).rejects.toThrow();
    expect([await uploads().find('demo', upload.id), await rowsOf(upload.id)]).toEqual([undefined, []]);
  });

  it('are so many in a workspace and no more', async () => {
    const workspaceId = newWorkspace();
    const first = anUpload({ workspaceId });
    await uploads(1).add(first, LISTS);
    await expect(uploads(1).add(anUpload({ workspaceId }), LISTS)).rejects.toMatchObject({
      code: 'UPLOADS.QUOTA',
    });
    expect((await uploads(1).add({ ...first, id: risingId() }, LISTS)).isNew).toBe(false);
    expect(await uploads().remove(workspaceId, first.id)).toBe('removed');
    expect((await uploads(1).add(anUpload({ workspaceId }), LISTS)).isNew).toBe(true);
  });

  it('are seen by their workspace only, newest first', async () => {
    const workspaceId = newWorkspace();
    const three = [anUpload({ workspaceId }), anUpload({ workspaceId }), anUpload({ workspaceId })];
    for (const upload of three) await uploads().add(upload, LISTS);
    const ids = three.map(({ id }) => id).reverse();
    expect((await uploads().page(workspaceId, 2)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((await uploads().page(workspaceId, 2, ids[1])).map(({ id }) => id)).toEqual(ids.slice(2));
    const [id = ''] = ids;
    expect(await uploads().find('other', id)).toBeUndefined();
    expect(await uploads().remove('other', id)).toBe('unknown');
  });

  it('stay while an import that has not ended reads them, and go with their rows afterwards', async () => {
    const workspaceId = newWorkspace();
    const { admin, prisma, app, worker } = database;
    const [read, old, young] = [
      anUpload({ workspaceId }),
      anUpload({ workspaceId }),
      anUpload({ workspaceId }),
    ];
    for (const upload of [read, old, { ...young, keptSince: Date.now() }]) await uploads().add(upload, LISTS);
    const scope = {
      include: [],
      fields: [],
      walls: { since: null, last: null },
      files: { friendships: read.id },
    };
    const job = anImport({ id: risingId(), workspaceId, network: 'file-a', scope });
    await new PrismaImports(prisma, app, worker).add(job);
    expect(await uploads().remove(workspaceId, read.id)).toBe('in-use');
    const retention = new PgRetention(worker, { importsDays: 365, callsDays: 7, uploadsDays: 1 });
    while ((await retention.sweep()) > 0);
    expect(await uploads().find(workspaceId, old.id)).toBeUndefined();
    expect([await rowsOf(old.id), (await rowsOf(read.id)).length, (await rowsOf(young.id)).length]).toEqual([
      [],
      3,
      3,
    ]);
    await admin.query(`UPDATE imports SET state = 'completed' WHERE id = $1`, [job.snapshot.id]);
    expect(await uploads().remove(workspaceId, read.id)).toBe('removed');
    while ((await retention.sweep()) > 0);
    const { rows } = await admin.query('SELECT id FROM uploads WHERE workspace_id = $1', [workspaceId]);
    expect([rows, await rowsOf(read.id)]).toEqual([[{ id: young.id }], []]);
  });

  it('are not removed while an import begins that reads them; an import of removed ones does not begin', async () => {
    const workspaceId = newWorkspace();
    const { admin, prisma, app, worker } = database;
    const upload = anUpload({ workspaceId });
    await uploads().add(upload, LISTS);
    const walls = { since: null, last: null };
    const scope = { include: [], fields: [], walls, files: { friendships: upload.id } };
    const begun = (): ImportJob => anImport({ id: risingId(), workspaceId, network: 'file-a', scope });
    let removing: Promise<string> | undefined;
    const imports = new PrismaImports(prisma, app, worker, async () => {
      removing = uploads().remove(workspaceId, upload.id);
      const waits = eventually(
        async () => {
          const { rows } = await admin.query<{ waiting: number }>(
            `SELECT count(*)::integer AS waiting FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return (rows[0]?.waiting ?? 0) > 0;
        },
        { timeoutMs: 20_000 },
      );
      await Promise.race([removing, waits]);
      return 9;
    });
    const job = begun();
    await imports.add(job);
    expect(await removing).toBe('in-use');
    await admin.query(`UPDATE imports SET state = 'completed' WHERE id = $1`, [job.snapshot.id]);
    expect(await uploads().remove(workspaceId, upload.id)).toBe('removed');
    await expect(new PrismaImports(prisma, app, worker).add(begun())).rejects.toMatchObject({
      fields: [{ field: 'files.friendships', message: 'there is no such upload' }],
    });
  });

  it('hold nobody who was erased while they were stored', async () => {
    const upload = anUpload();
    let passes = 0;
    const rows = {
      *[Symbol.iterator](): Iterator<UploadedPerson> {
        passes += 1;
        yield* LISTS;
        if (passes > 1) erased = ['file-a 2'];
      },
    };
    await uploads().add(upload, rows);
    expect(await rowsOf(upload.id)).toEqual([
      { person: '1', friends: '10', profile: null },
      { person: '10', friends: '1', profile: null },
    ]);
  });

  it('hold nobody who was erased, before or after they came', async () => {
    erased = ['file-a 2'];
    const upload = anUpload();
    await uploads().add(upload, LISTS);
    const without = [
      { person: '1', friends: '10', profile: null },
      { person: '10', friends: '1', profile: null },
    ];
    expect(await rowsOf(upload.id)).toEqual(without);
    erased = [];
    const [later, elsewhere] = [anUpload(), anUpload({ network: 'file-z' })];
    for (const each of [later, elsewhere]) await uploads().add(each, LISTS);
    const scope = { workspaceId: 'demo', network: 'file-a' };
    await forgetUploaded(database.worker, scope, (id) => id === '2');
    expect([await rowsOf(later.id), (await rowsOf(elsewhere.id)).length]).toEqual([without, 3]);
    expect((await uploads().find('demo', later.id))?.people).toBe(2);
    await forgetUploaded(database.worker, scope, (id) => id === '1');
    expect(await rowsOf(later.id)).toEqual([{ person: '10', friends: '', profile: null }]);
  });
});

describe('what stands in for a key pool', () => {
  const answerTo = async (path: string, asked: object, workspaceId = 'demo') => {
    const pool = new FilePool(database.worker);
    const verdict = await pool.acquire({
      ...{ workspaceId, network: 'file', importId: randomUUID(), methods: {}, timeoutMs: 1_000 },
    });
    if (verdict.kind !== 'granted') throw new Error(verdict.kind);
    const body = JSON.stringify({ people: [], after: '', ...asked });
    const sent = await pool.send(verdict.lease, () => ({ path, headers: {}, body, timeoutMs: 1_000 }));
    if (sent.kind !== 'answered') throw new Error(sent.kind);
    return { status: sent.status, answer: JSON.parse(sent.body) as unknown };
  };

  it('answers from both files, of the workspace of the import only', async () => {
    const [lists, people] = [anUpload(), anUpload({ kind: 'people' })];
    await uploads().add(lists, LISTS);
    await uploads().add(people, [
      { person: '1', profile: { firstName: 'Ada' } },
      { person: '99', profile: { firstName: 'Eve' } },
    ]);
    const files = { friendships: lists.id, people: people.id };
    expect(await answerTo('/names', { files })).toEqual({
      status: 200,
      answer: { people: ['1', '10', '2', '99'], next: null },
    });
    expect((await answerTo('/names', { files, after: '10' })).answer).toEqual({
      people: ['2', '99'],
      next: null,
    });
    expect((await answerTo('/profiles', { files, people: ['1', '2', '99', '5'] })).answer).toEqual({
      found: [
        ['1', { firstName: 'Ada' }],
        ['2', {}],
        ['99', { firstName: 'Eve' }],
      ],
    });
    expect((await answerTo('/lists', { files, people: ['1', '99', '5'] })).answer).toEqual({
      found: [
        ['1', '2,10'],
        ['99', ''],
      ],
    });
    expect((await answerTo('/walls', { files })).status).toBe(404);
    expect((await answerTo('/names', { files }, 'other')).status).toBe(410);
    await uploads().remove('demo', people.id);
    expect((await answerTo('/names', { files })).status).toBe(410);
  });

  it('names people in pages', async () => {
    const many = Array.from({ length: 5_000 }, (_, n) => ({
      person: `n${String(n).padStart(4, '0')}`,
      friends: [],
    }));
    const upload = anUpload();
    await uploads().add(upload, many);
    const files = { friendships: upload.id };
    const first = (await answerTo('/names', { files })).answer as { people: string[]; next: string };
    expect([first.people.length, first.next]).toEqual([5_000, 'n4999']);
    expect((await answerTo('/names', { files, after: 'n4999' })).answer).toEqual({ people: [], next: null });
  });
});

describe('lists of a refresh that are looked at again', () => {
  it('are open, whether they were read, a gap or not asked for; only where the import still waits', async () => {
    const { admin, prisma, app, worker } = database;
    const imports = new PrismaImports(prisma, app, worker);
    const scope = { include: ['friends' as const], fields: [], walls: { since: null, last: null } };
    const items = ['1', '2'].map((person) => ({ kind: 'friends' as const, person, depth: 1 }));
    const { snapshot } = anImport({ id: risingId(), scope: { ...scope, refresh: { before: 1 } }, seeds: [] });
    const counters = { ...snapshot.counters, peopleKnown: 0, listsKnown: 2 };
    await imports.add(ImportJob.restore({ ...snapshot, counters }), undefined, items);
    const again = (revision: number, mostRounds = 9): Promise<boolean> =>
      imports.lookAgain('demo', snapshot.id, ['1', '2', '3'], { revision, now: 9, mostRounds });
    expect(await again(1)).toBe(false);
    await admin.query(
      `UPDATE items SET state = CASE person WHEN '1' THEN 'done' ELSE 'gap' END, attempts = 3, cause = 'private',
         cursor = 'x' WHERE import_id = $1`,
      [snapshot.id],
    );
    await admin.query(
      `UPDATE imports SET state = 'settling', revision = 2, lists_done = 2, lists_gaps = 1 WHERE id = $1`,
      [snapshot.id],
    );
    expect([await again(1), await again(2, 0)]).toEqual([false, false]);
    expect(await again(2)).toBe(true);
    const { rows } = await admin.query(
      `SELECT person, depth, state, attempts, cause, cursor, retried FROM items WHERE import_id = $1 ORDER BY person`,
      [snapshot.id],
    );
    const open = { depth: 2, state: 'pending', attempts: 0, cause: null, cursor: null };
    expect(rows).toEqual([
      { person: '1', ...open, retried: true },
      { person: '2', ...open, retried: true },
      { person: '3', ...open, retried: false },
    ]);
    const job = (await imports.find('demo', snapshot.id))?.job.snapshot;
    expect([job?.state, job?.revision, job?.counters]).toEqual([
      ...['running', 3],
      { ...counters, listsKnown: 3, listsDone: 2, listsGaps: 0, listsRetrying: 2 },
    ]);
  });
});
