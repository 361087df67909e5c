import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from 'arangojs';
import { onlyStandIn, specServer, type SpecServer } from './server';

interface Exchange {
  name: string;
  request: string;
  response: string;
}

const recorded = new Map(
  (JSON.parse(readFileSync(join(__dirname, 'recorded', 'recorded-http.json'), 'utf8')) as Exchange[]).map(
    (one) => [one.name, one],
  ),
);

/** Attributes of the recorded answer that the stand-in shares; the others are a real server's own. */
function recordedAnswer(name: string): {
  method: string;
  path: string;
  body: string | undefined;
  status: number;
  answer: unknown;
} {
  const { request, response } = recorded.get(name) as Exchange;
  const method = /-X ([A-Z]+)/.exec(request)?.[1] ?? 'GET';
  const path = /'http:\/\/localhost:8529([^']+)'/.exec(request)?.[1] ?? '';
  const body = /<<'EOF'\n([\s\S]*?)\nEOF/.exec(request)?.[1];
  const status = Number(response.split(' ')[1]);
  return {
    method,
    path,
    body,
    status,
    answer: JSON.parse(response.slice(response.indexOf('\n\n')).split('\nHTTP/1.1')[0] as string) as unknown,
  };
}

const IDENTITIES = new Set(['_rev', '_oldRev', 'id', 'globallyUniqueId', 'objectId']);

function withoutIdentities(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, inner: unknown) => (IDENTITIES.has(name) ? '*' : inner)));
}

describe('HTTP interface', () => {
  let server: SpecServer;

  beforeEach(async () => {
    server = await specServer();
    await server.call('POST', '/_api/collection', { name: 'products' });
  });

  afterEach(() => server.stop());

  async function replay(name: string): Promise<{ found: unknown; wanted: unknown }> {
    const { method, path, body, status, answer } = recordedAnswer(name);
    const reply = await server.call(method, path, body);
    return {
      found: [reply.status, withoutIdentities(reply.body)],
      wanted: [status, withoutIdentities(answer)],
    };
  }

  it.each([
    'RestCursorCreateCursorUnknownCollection',
    'RestDatabaseGetInfo',
    'RestDocumentHandlerDeleteDocumentUnknownHandle',
    'RestDocumentHandlerReadDocumentUnknownHandle',
    'RestDocumentHandlerDeleteDocumentUnknownMulti',
  ])('answers %s as recorded', async (name) => {
    const { found, wanted } = await replay(name);
    expect(found).toEqual(wanted);
  });

  onlyStandIn('creates a database as recorded', async () => {
    const { found, wanted } = await replay('RestDatabaseCreate');
    expect(found).toEqual(wanted);
  });

  it('removes many documents as recorded, by handle and by object', async () => {
    await server.call('DELETE', '/_api/collection/products');
    await server.call('POST', '/_api/collection', { name: 'products', waitForSync: true });
    for (const name of [
      'RestDocumentHandlerDeleteDocumentIdentifierMulti',
      'RestDocumentHandlerDeleteDocumentObjectMulti',
    ]) {
      await server.call('POST', '/_api/document/products', [{ _key: '1' }, { _key: '2' }]);
      const { found, wanted } = await replay(name);
      expect(found).toEqual(wanted);
    }
  });

  it('reports bad elements of an array inline and keeps the good ones', async () => {
    const { body, answer } = recordedAnswer('RestDocumentHandlerPostBadJsonMulti');
    const reply = await server.call('POST', '/_api/document/products', body);
    expect(reply.status).toBe(202);
    expect(withoutIdentities(reply.body)).toEqual(withoutIdentities(answer));
    expect(reply.headers.get('x-arango-error-codes')).toBe('{"1221":1}');
  });

  it('creates a collection with the attributes that were recorded', async () => {
    const { body, answer } = recordedAnswer('RestCollectionCreateCollection');
    const reply = await server.call('POST', '/_api/collection', body);
    expect(reply.status).toBe(200);
    const known = answer as Record<string, unknown>;
    for (const [name, value] of Object.entries(reply.body as Record<string, unknown>)) {
      if (IDENTITIES.has(name) || ['keyOptions', 'indexes', 'name', 'type', 'cacheEnabled'].includes(name))
        continue;
      expect([name, value]).toEqual([name, known[name]]);
    }
    const again = await server.call('POST', '/_api/collection', body);
    expect([again.status, again.body]).toMatchObject([409, { errorNum: 1207 }]);
  });

  it('refuses a stale If-Match with 412 and the current revision', async () => {
    const { answer } = recordedAnswer('RestDocumentHandlerUpdateDocumentIfMatchOther');
    await server.call('POST', '/_api/document/products', { _key: 'a' });
    const reply = await server.call('PUT', '/_api/document/products/a', { x: 1 }, { 'if-match': '"other"' });
    expect(reply.status).toBe(412);
    expect(Object.keys(reply.body as object).sort()).toEqual(Object.keys(answer as object).sort());
    expect(reply.body).toMatchObject({
      errorNum: 1200,
      errorMessage: 'conflict, _rev values do not match',
      _key: 'a',
    });
  });

  it('checks revisions in arrays only when told', async () => {
    const items = server.db.collection('items');
    await items.create();
    const { _rev } = await items.save({ _key: 'a', n: 1, deep: { x: 1 } });
    expect(await items.replaceAll([{ _key: 'a', _rev: 'old', n: 2 }])).toMatchObject([{ _oldRev: _rev }]);
    const stale = await items.replaceAll([{ _key: 'a', _rev, n: 3 }], { ignoreRevs: false });
    expect(stale).toMatchObject([{ error: true, errorNum: 1200, _key: 'a' }]);
    expect(
      await items.removeAll([{ _key: 'a', _rev }] as never, { ignoreRevs: false } as never),
    ).toMatchObject([{ errorNum: 1200 }]);
    expect(await items.document('a')).toMatchObject({ n: 2 });
    expect(await items.document('a')).not.toHaveProperty('deep');
  });

  it.each([
    ['conflict', { error: true, errorNum: 1210 }, { n: 1 }],
    ['ignore', { _key: 'a' }, { n: 1 }],
    ['replace', { _key: 'a' }, { m: 2 }],
    ['update', { _key: 'a' }, { n: 1, m: 2 }],
  ] as const)('overwriteMode %s', async (overwriteMode, answer, stored) => {
    const items = server.db.collection('items');
    await items.create();
    await items.save({ _key: 'a', n: 1 });
    expect((await items.saveAll([{ _key: 'a', m: 2 }], { overwriteMode }))[0]).toMatchObject(answer);
    const { _key, _id, _rev, ...rest } = (await items.document('a')) as Record<string, unknown>;
    expect(rest).toEqual(stored);
  });

  it('reads many documents in the order of the request', async () => {
    const items = server.db.collection('items');
    await items.create();
    await items.saveAll([{ _key: 'a' }, { _key: 'b' }]);
    const found = await items.documents(['b', 'none', 'a']);
    expect(found).toMatchObject([{ _id: 'items/b' }, { error: true, errorNum: 1202 }, { _id: 'items/a' }]);
  });

  it('keeps unique indexes unique and refuses one that the documents violate', async () => {
    const items = server.db.collection('items');
    await items.create();
    const unique = {
      type: 'persistent' as const,
      fields: ['mail'],
      unique: true,
      sparse: true,
      name: 'mail',
    };
    expect(await items.ensureIndex(unique)).toMatchObject({ isNewlyCreated: true, name: 'mail' });
    expect(await items.ensureIndex(unique)).toMatchObject({ isNewlyCreated: false });
    const saved = await items.saveAll([
      { _key: 'a', mail: 'x' },
      { _key: 'b', mail: 'x' },
      { _key: 'c' },
      { _key: 'd' },
    ]);
    expect(saved).toMatchObject([{ _key: 'a' }, { errorNum: 1210 }, { _key: 'c' }, { _key: 'd' }]);
    await items.update('a', { mail: 'y' });
    await items.save({ _key: 'b', mail: 'x' });
    await items.dropIndex('mail');
    await items.save({ _key: 'e', mail: 'x' });
    await expect(items.ensureIndex(unique)).rejects.toMatchObject({ errorNum: 1210 });
    expect((await items.indexes()).map(({ type }) => type)).toEqual(['primary']);
  });

  it('wants both ends of an edge', async () => {
    const edges = server.db.collection('edges');
    await edges.create({ type: 3 } as never);
    expect(
      await edges.saveAll([{ _from: 'a/1' }, { _from: 'a/1', _to: 'b/2' }, { _from: 'a', _to: 'b/2' }]),
    ).toMatchObject([{ errorNum: 1233 }, { _key: expect.any(String) }, { errorNum: 1233 }]);
  });

  onlyStandIn('lets nobody in without credentials, and nobody into another database', async () => {
    const anonymous = new Database({
      url: server.url,
      databaseName: 'sociograph',
      auth: { username: 'spec', password: 'x' },
    });
    await expect(anonymous.version()).rejects.toMatchObject({ code: 401 });
    const bare = await fetch(`${server.url}/_api/version`);
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('ArangoDB'),
    ]);
    await server.call('POST', '/_api/database', { name: 'other' });
    expect(await server.call('GET', '/_db/other/_api/collection')).toMatchObject({
      status: 403,
      body: { errorNum: 11 },
    });
  });

  onlyStandIn('gives session tokens that expire with the process', async () => {
    const db = new Database({ url: server.url, databaseName: 'sociograph' });
    await db.login(server.account.username, server.account.password);
    expect(await db.exists()).toBe(true);
    db.useBearerAuth('a.b.c');
    await expect(db.version()).rejects.toMatchObject({ code: 401 });
    await expect(db.login('spec', 'wrong')).rejects.toMatchObject({ code: 401 });
  });

  onlyStandIn('names what it does not do', async () => {
    const unsupported = async (method: string, path: string, body?: unknown) =>
      expect(await server.call(method, path, body)).toMatchObject({
        status: 501,
        body: { errorNum: 9, errorMessage: expect.stringContaining('not supported by arango-embedded') },
      });
    await unsupported('GET', '/_api/view');
    await unsupported('POST', '/_api/transaction/begin', {});
    await unsupported('POST', '/_api/index?collection=products', { type: 'geo', fields: ['a'] });
    await unsupported('POST', '/_api/cursor', { query: 'INSERT {} INTO products' });
  });

  it('answers broken JSON with 400 and an endless name with 400', async () => {
    expect(await server.call('POST', '/_api/document/products', '{ broken')).toMatchObject({
      status: 400,
      body: { errorNum: 600 },
    });
    expect(await server.call('POST', '/_api/collection', { name: 'x'.repeat(300) })).toMatchObject({
      status: 400,
      body: { errorNum: 1208 },
    });
    expect(await server.call('POST', '/_api/document/products', { _key: 'a b' })).toMatchObject({
      status: 400,
      body: { errorNum: 1221 },
    });
  });

  it('hands out large results in batches', async () => {
    const cursor = await server.db.query('FOR i IN 1..25 RETURN i', {}, { batchSize: 10, count: true });
    expect(cursor.count).toBe(25);
    expect(await cursor.all()).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    const open = { query: 'FOR i IN 1..25 RETURN i', batchSize: 10 };
    const { id } = (await server.call('POST', '/_api/cursor', open)).body as { id: string };
    expect(await server.call('POST', `/_api/cursor/${id}`)).toMatchObject({
      status: 200,
      body: { hasMore: true },
    });
    expect((await server.call('DELETE', `/_api/cursor/${id}`)).status).toBe(202);
    expect(await server.call('POST', `/_api/cursor/${id}`)).toMatchObject({
      status: 404,
      body: { errorNum: 1600 },
    });
  });
});
