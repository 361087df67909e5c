import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ServiceHandle } from '@sociograph/service-host';
import { eventually } from '@sociograph/testing';
import { ArangoExports } from '../src/infrastructure/arango-exports';
import { ExportStand, IMPORT_A, IMPORT_B, readBack, side } from './export-stand';

jest.setTimeout(120_000);

/** Names that a format may stumble over. */
const NASTY = [
  '<b>&"\'</b>',
  '=HYPERLINK("http://evil")',
  '+1',
  '-1',
  '@sum',
  '\t=1',
  '\r=1',
  'a,"b"\nc',
  'NUL\u0000and\u0001and\u001f',
  'half \ud800 pair',
  'Ёжик 🦔',
  "'=quoted",
  ' leading and trailing ',
  '\ufffe\uffff',
  ']]>',
  '',
];

describe('exports over HTTP, files on disk', () => {
  const stand = new ExportStand();
  let service: ServiceHandle;

  beforeAll(async () => {
    await stand.start();
    await stand.store(
      [
        ...NASTY.map((firstName, at) =>
          stand.person(String(100 + at), { firstName, lastName: 'X', closed: at % 2 === 0 }),
        ),
        stand.person('7', { firstName: 'Lone', lastName: 'Person' }, IMPORT_B),
      ],
      [
        ...NASTY.slice(1).map((_, at) => stand.friendship(String(100 + at), String(101 + at))),
        stand.friendship('100', '900', {
          low: undefined,
          high: side(IMPORT_B, 5_000),
          since: 5_000,
          deniedAt: { observedAt: 6_000, fence: 1 },
        }),
        stand.friendship('900', '-9', { low: side(IMPORT_B, 7_000), high: side(IMPORT_A, 8_000) }),
      ],
    );
    // Another workspace and another network of the same one stay out.
    const { workspaceId } = stand;
    const foreign = { ...stand.friendship('1', '2'), key: `${workspaceId}x.vk.1.2` };
    await stand.store([], [foreign, { ...stand.friendship('1', '2'), key: `${workspaceId}.ok.1.2` }]);
    service = await stand.service();
  });
  afterAll(() => stand.stop());

  const ids = [...NASTY.map((_, at) => String(100 + at)), '7', '900', '-9'];
  const pairs = [...NASTY.slice(1).map((_, at) => `${100 + at} ${101 + at}`), '100 900', '900 -9'];
  /** As XML can have it: what it cannot becomes U+FFFD. */
  const inXml = (text: string): string =>
    // eslint-disable-next-line no-control-regex
    text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd');

  it.each(['gexf', 'graphml'] as const)('are read back from %s as the graph is', async (format) => {
    const made = await stand.made(service, { network: 'vk', format });
    expect(made).toMatchObject({
      network: 'vk',
      format,
      complete: true,
      counts: { people: ids.length, friendships: pairs.length },
      file: `vk-${made.id}.${format}`,
    });
    const path = await stand.fetched(service, made);
    expect(statSync(path).size).toBe(made.bytes);
    const found = await readBack(path);
    expect(Object.keys(found.people).sort()).toEqual([...ids].sort());
    expect(Object.keys(found.friendships).sort()).toEqual([...pairs].sort());
    NASTY.forEach((firstName, at) => {
      const { firstName: read, label, closed, state, observedAt } = found.people[String(100 + at)];
      expect(read).toBe(inXml(firstName));
      expect(label).toBe(firstName === '' ? 'X' : `${inXml(firstName)} X`);
      expect([closed, state, observedAt]).toEqual([
        String(at % 2 === 0),
        'active',
        '2026-11-18T11:06:40.123Z',
      ]);
    });
    expect(found.people['900']).toEqual({ label: '900' });
    expect(found.friendships['100 900']).toEqual({ since: '1970-01-01T00:00:05.000Z', disputed: 'true' });
    expect(found.friendships['100 101']).toEqual({ since: '2026-11-18T11:06:40.000Z', disputed: 'false' });
  });

  it('are read back from CSV as the graph is, and no cell begins a formula', async () => {
    const made = await stand.made(service, { network: 'vk', format: 'csv' });
    expect(made.file).toBe(`vk-${made.id}.csv.zip`);
    const tables = await readBack(await stand.fetched(service, made));
    expect(Object.keys(tables)).toEqual(['people.csv', 'friendships.csv']);
    const plain = (cell: string): string => (/^'[=+@\t\r\n-]/.test(cell) ? cell.slice(1) : cell);
    const people = new Map<string, Record<string, string>>(
      tables['people.csv'].map((row: Record<string, string>) => [plain(row['id'] ?? ''), row]),
    );
    expect([...people.keys()].sort()).toEqual([...ids].sort());
    NASTY.forEach((firstName, at) => {
      const cell = people.get(String(100 + at))?.['first_name'] ?? '';
      expect(cell).not.toMatch(/^[=+@\t\r\n-]/);
      // Half a surrogate pair is no text: it cannot be written in UTF-8.
      const text = firstName.replace(/\p{Surrogate}/gu, '\ufffd');
      if (firstName !== "'=quoted") expect(plain(cell)).toBe(text);
      else expect(cell).toBe(text);
    });
    expect(people.get('100')).toMatchObject({ closed: 'true', observed_at: '2026-11-18T11:06:40.123Z' });
    expect(people.get('900')).toMatchObject({ state: '', first_name: '', closed: '' });
    const rows = tables['friendships.csv'] as Record<string, string>[];
    const ends = rows.map((row) => `${plain(row['source'] ?? '')} ${plain(row['target'] ?? '')}`);
    expect(ends.sort()).toEqual([...pairs].sort());
    expect(rows.find((row) => row['target'] === "'-9")).toEqual({
      source: '900',
      target: "'-9",
      since: '2026-11-18T11:06:40.000Z',
      disputed: 'false',
      source_seen_at: '1970-01-01T00:00:07.000Z',
      target_seen_at: '1970-01-01T00:00:08.000Z',
      source_import: IMPORT_B,
      target_import: IMPORT_A,
    });
  });

  it('are read back from Parquet as the graph is', async () => {
    const made = await stand.made(service, { network: 'vk', format: 'parquet' });
    const folder = mkdtempSync(join(stand.folder, 'parquet-'));
    const names = await readBack(await stand.fetched(service, made), '--unzip', folder);
    expect(names).toEqual(['people.parquet', 'friendships.parquet']);
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    const read = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRows();
    const people = await read(`SELECT id, first_name, closed FROM '${join(folder, 'people.parquet')}'`);
    expect(people.map(([id]) => id).sort()).toEqual([...ids].sort());
    NASTY.forEach((firstName, at) => {
      const text = firstName.replace(/\p{Surrogate}/gu, '\ufffd');
      expect(people.find(([id]) => id === String(100 + at))).toEqual([String(100 + at), text, at % 2 === 0]);
    });
    expect(people.find(([id]) => id === '900')).toEqual(['900', null, null]);
    const friendships = join(folder, 'friendships.parquet');
    const ends = await read(`SELECT source || ' ' || target FROM '${friendships}'`);
    expect(ends.flat().sort()).toEqual([...pairs].sort());
    expect(
      await read(`SELECT since::VARCHAR, source_seen_at, target_import FROM '${friendships}' WHERE disputed`),
    ).toEqual([['1970-01-01 00:00:05', null, IMPORT_B]]);
    connection.closeSync();
    instance.closeSync();
  });

  it('hold what a later import saw again: lists that have not changed, and people', async () => {
    const again = '01930f0e-7b1c-7000-8000-00000000000c';
    stand.seen[again] = { people: ['7', 'nobody'], lists: ['101', 'nobody'] };
    const made = await stand.made(service, { network: 'vk', of: { import: again }, format: 'gexf' });
    const found = await readBack(await stand.fetched(service, made));
    // 100's list has 101, 101's own does not: it was 101's that was seen.
    expect(Object.keys(found.friendships).sort()).toEqual(['101 102']);
    expect(Object.keys(found.people).sort()).toEqual(['101', '102', '7']);
    expect(made).toMatchObject({ of: { import: again }, counts: { people: 3, friendships: 1 } });
  });

  it('hold what one import was the first to show', async () => {
    const made = await stand.made(service, { network: 'vk', of: { import: IMPORT_B }, format: 'gexf' });
    expect(made).toMatchObject({ of: { import: IMPORT_B }, counts: { people: 4, friendships: 2 } });
    const found = await readBack(await stand.fetched(service, made));
    expect(Object.keys(found.friendships).sort()).toEqual(['100 900', '900 -9']);
    expect(Object.keys(found.people).sort()).toEqual(['-9', '100', '7', '900']);
    expect(found.people['100'].state).toBe('active');
  });

  it('hold the surroundings of a person, nearest first, and say when people were left out', async () => {
    const of = { person: '100', depth: 2, nodes: 4 };
    const made = await stand.made(service, { network: 'vk', of, format: 'graphml' });
    expect(made).toMatchObject({ of, complete: false, counts: { people: 4 } });
    const found = await readBack(await stand.fetched(service, made));
    expect(Object.keys(found.people)).toEqual(expect.arrayContaining(['100', '101', '900']));
    const whole = await stand.made(service, {
      network: 'vk',
      of: { person: '100', depth: 2 },
      format: 'graphml',
    });
    expect(whole).toMatchObject({
      of: { nodes: 1000 },
      complete: true,
      counts: { people: 5, friendships: 4 },
    });
  });

  it('of an empty graph are files all the same', async () => {
    const made = await stand.made(service, { network: 'none', format: 'csv' });
    expect(made.counts).toEqual({ people: 0, friendships: 0 });
    const tables = await readBack(await stand.fetched(service, made));
    expect(tables).toEqual({ 'people.csv': [], 'friendships.csv': [] });
  });

  it('belong to their workspace', async () => {
    const { id, link } = await stand.made(service, { network: 'vk', format: 'gexf' });
    const elsewhere = { workspaceId: 'elsewhere' };
    const unknown = { status: 404, body: { code: 'EXPORT.UNKNOWN' } };
    expect(await stand.call(service, 'GET', `/v1/exports/${id}`, elsewhere)).toMatchObject(unknown);
    expect(await stand.call(service, 'DELETE', `/v1/exports/${id}`, elsewhere)).toMatchObject(unknown);
    expect(await stand.call(service, 'GET', link, elsewhere)).toMatchObject(unknown);
    expect((await stand.call(service, 'GET', '/v1/exports', elsewhere)).body).toEqual({
      items: [],
      next: null,
    });
    expect((await stand.call(service, 'GET', '/v1/exports', { roles: ['viewer'] })).status).toBe(403);
    const { body } = await stand.call(service, 'GET', '/v1/exports?limit=1');
    expect(body.items.map((one: { id: string }) => one.id)).toEqual([id]);
    const next = await stand.call(service, 'GET', `/v1/exports?limit=200&cursor=${body.next}`);
    expect(next.body.items.map((one: { id: string }) => one.id)).not.toContain(id);
    expect(next.body.items.length).toBeGreaterThan(5);
    expect(next.body.next).toBeNull();
  });

  it('are handed out by links that were made for them', async () => {
    const { id, link } = await stand.made(service, { network: 'none', format: 'gexf' });
    const file = await stand.call(service, 'GET', link);
    expect(file.status).toBe(200);
    expect(file.headers.get('content-type')).toBe('application/gexf+xml');
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="none-${id}.gexf"`);
    expect(file.headers.get('cache-control')).toBe('private, no-store');
    const over = { status: 403, body: { code: 'EXPORT.LINK_OVER' } };
    const later = link.replace(/expires=\d/, 'expires=9');
    expect(await stand.call(service, 'GET', later)).toMatchObject(over);
    expect((await stand.call(service, 'GET', `/v1/exports/${id}/file`)).status).toBe(400);
  });

  it('are removed with their files', async () => {
    const { id } = await stand.made(service, { network: 'vk', format: 'gexf' });
    const files = (): string[] => readdirSync(join(stand.folder, 'files', stand.workspaceId));
    const before = files().length;
    expect((await stand.call(service, 'DELETE', `/v1/exports/${id}`)).status).toBe(204);
    expect(files()).toHaveLength(before - 1);
    expect((await stand.call(service, 'DELETE', `/v1/exports/${id}`)).status).toBe(404);
    expect((await stand.call(service, 'GET', `/v1/exports/${id}`)).status).toBe(404);
  });

  it('are asked for once with an Idempotency-Key', async () => {
    const options = { body: { network: 'none', format: 'gexf' }, headers: { 'idempotency-key': 'k-1' } };
    const [first, second] = [
      await stand.call(service, 'POST', '/v1/exports', options),
      await stand.call(service, 'POST', '/v1/exports', options),
    ];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('location')).toBe(`/v1/exports/${first.body.id}`);
    expect(first.headers.get('location')).toBe(`/v1/exports/${first.body.id}`);
    const other = { ...options, body: { network: 'none', format: 'csv' } };
    expect((await stand.call(service, 'POST', '/v1/exports', other)).status).toBe(422);
    await stand.ready(service, first.body.id);
  });

  it.each([
    [{ network: 'vk' }, 400, ['format']],
    [{ network: 'VK', format: 'xlsx' }, 400, ['network', 'format']],
    [{ network: 'vk', format: 'csv', of: {} }, 400, ['of']],
    [{ network: 'vk', format: 'csv', of: null }, 400, ['of']],
    [{ network: 'vk', format: 'csv', of: { person: '100', depth: null } }, 400, ['of.depth']],
    [{ network: 'vk', format: 'csv', of: 'all' }, 400, ['of']],
    [{ network: 'vk', format: 'csv', of: [] }, 400, ['of']],
    [{ network: 'vk', format: 'csv', of: { person: '1', import: IMPORT_A } }, 400, ['of.import']],
    [{ network: 'vk', format: 'csv', of: { import: 'x' } }, 400, ['of.import']],
    [{ network: 'vk', format: 'csv', of: { import: IMPORT_A, depth: 1 } }, 400, ['of.depth']],
    [{ network: 'vk', format: 'csv', of: { import: IMPORT_A, nodes: 1 } }, 400, ['of.nodes']],
    [{ network: 'vk', format: 'csv', of: { person: 'a/b' } }, 400, ['of.person']],
    [{ network: 'vk', format: 'csv', of: { person: '100', depth: 0 } }, 400, ['of.depth']],
    [{ network: 'vk', format: 'csv', of: { person: '100', depth: '2' } }, 400, ['of.depth']],
    [
      { network: 'vk', format: 'csv', of: { person: '100', depth: 7, nodes: 10_001 } },
      422,
      ['of.depth', 'of.nodes'],
    ],
    [{ network: 'vk', format: 'csv', of: { person: '12345' } }, 404, []],
    [{ network: 'vk', format: 'csv', more: 1 }, 400, ['more']],
  ])('are asked for as %j: %i', async (body, status, fields) => {
    const answer = await stand.call(service, 'POST', '/v1/exports', { body });
    expect(answer.status).toBe(status);
    expect((answer.body.errors ?? []).map(({ field }: { field: string }) => field)).toEqual(fields);
  });

  it('of a process that died are made by another', async () => {
    const records = new ArangoExports(stand.db);
    const asked = await stand.call(service, 'POST', '/v1/exports', {
      body: { network: 'vk', format: 'gexf' },
    });
    const { id } = await stand.ready(service, asked.body.id);
    // As `kill -9` leaves it: claimed by someone whose time is over.
    const file = `${stand.workspaceId}/dead.gexf`;
    await records.change(id, (one) => ({
      ...one,
      state: { kind: 'running', by: 'dead', until: 1, startedAt: 1, file },
    }));
    const other = await stand.service();
    expect((await stand.ready(other, id)).state).toBe('ready');
    expect((await records.find(id))?.attempts).toBe(2);
    await stand.call(service, 'DELETE', `/v1/exports/${id}`);
  });

  it('are given back by a process that stops', async () => {
    const records = new ArangoExports(stand.db);
    const leaving = await stand.service();
    const asked = await stand.call(leaving, 'POST', '/v1/exports', {
      body: { network: 'vk', format: 'csv' },
    });
    await leaving.close();
    await eventually(
      async () => {
        const found = await records.find(asked.body.id);
        expect(found?.state.kind).toBe('ready');
        expect(found?.attempts).toBe(1);
      },
      { timeoutMs: 30_000 },
    );
    await eventually(() => expect(readdirSync(join(stand.folder, 'drafts'))).toEqual([]), {
      timeoutMs: 20_000,
    });
  });
});
