import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpGraph, loadGraph } from '../src/backup/graph-copy';
import { type Document, GraphStore } from '../src/backup/graph-store';

jest.setTimeout(120_000);

describe('the graph', () => {
  const {
    ARANGO_URL: url = '',
    ARANGO_USERNAME: username = '',
    ARANGO_PASSWORD: password = '',
  } = process.env;
  const folder = mkdtempSync(join(tmpdir(), 'backup-graph-'));
  const made: string[] = [];

  const ask = async (database: string, method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`${url}/_db/${database}/_api/${path}`, {
      method,
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  const create = async (collections: readonly string[]): Promise<GraphStore> => {
    const database = `own_${randomBytes(6).toString('hex')}`;
    await ask('_system', 'POST', 'database', { name: database });
    made.push(database);
    for (const name of collections)
      await ask(database, 'POST', 'collection', { name, type: name.includes('friendships') ? 3 : 2 });
    return new GraphStore({ url, database, username, password });
  };
  async function* all(documents: readonly Document[]): AsyncGenerator<Document> {
    yield* documents;
  }
  const whole = async (store: GraphStore, collection: string): Promise<Document[]> => {
    const documents: Document[] = [];
    for await (const document of store.documents(collection)) documents.push(document);
    return documents;
  };
  afterAll(async () => {
    for (const name of made) await ask('_system', 'DELETE', `database/${name}`);
    rmSync(folder, { recursive: true, force: true });
  });

  const people: Document[] = Array.from({ length: 2_500 }, (_, at) => ({
    _key: `demo.vk.${at}`,
    list: [at, null, 'ё'],
    nested: { none: null },
  }));
  const edge = (low: number, high: number): Document => ({
    _key: `demo.vk.${low}.${high}`,
    _from: `users/demo.vk.${low}`,
    _to: `users/demo.vk.${high}`,
  });
  const byKey = (documents: readonly Document[]): Document[] =>
    documents.toSorted((a, b) => (a._key < b._key ? -1 : 1));

  it('is written people first and friendships later, and put into empty collections as it was', async () => {
    const names = [
      'past_friendships',
      'friendships',
      'zoo',
      'users',
      'erasures',
      'exports',
      'schema_migrations',
    ];
    const source = await create(names);
    await source.insert('users', all(people));
    await source.insert('friendships', all([edge(1, 2), edge(2, 3)]));
    await source.insert('erasures', all([{ _key: 'e', mark: 'm' }]));
    await source.insert('exports', all([{ _key: 'file' }]));

    const counts = await dumpGraph(source, folder);
    expect(Object.entries(counts)).toEqual([
      ['erasures', 1],
      ['users', 2_500],
      ['friendships', 2],
      ['past_friendships', 0],
      ['zoo', 0],
    ]);
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(counts)
        .map((name) => `${name}.jsonl.gz`)
        .sort(),
    );

    const target = await create(names);
    const seen: string[] = [];
    await loadGraph(target, folder, Object.keys(counts), ({ _key }) => void seen.push(_key));
    expect(byKey(await whole(target, 'users'))).toEqual(byKey(people));
    expect(byKey(await whole(target, 'friendships'))).toEqual([edge(1, 2), edge(2, 3)]);
    expect(await target.collections()).toEqual(
      new Map(names.map((name) => [name, { ...counts, exports: 0 }[name] ?? 0])),
    );
    expect(seen).toHaveLength(2_503);
    expect(seen[0]).toBe('e');

    // Whoever stands there already is not overwritten.
    await expect(loadGraph(target, folder, ['friendships'])).rejects.toThrow(
      /^ArangoDB refused a document of friend/,
    );
    await target.put('friendships', [{ ...edge(1, 2), more: 1 }], 'replace');
    expect(byKey(await whole(target, 'friendships'))).toEqual([{ ...edge(1, 2), more: 1 }, edge(2, 3)]);
  });

  it('of a database that is not there has no collections, and cannot be asked for documents', async () => {
    const store = new GraphStore({ url, database: 'own_of_nobody', username, password });
    expect(await store.collections()).toEqual(new Map());
    await expect(whole(store, 'users')).rejects.toThrow(/^ArangoDB answered 404: /);
  });
});
