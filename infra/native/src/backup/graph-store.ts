import { setTimeout as pause } from 'node:timers/promises';

export interface ArangoAccount {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

export type Document = Record<string, unknown> & { _key: string };

interface Answer {
  error?: true;
  errorNum?: number;
  errorMessage?: string;
  _key?: string;
}

/** ArangoDB says so when another writer was first, also where there is none: its own work counts as one. */
const CONFLICT = 1200;
const MOST_TRIES = 50;
/** Documents in one request, and how much they may take; a list of a group's members is larger than that alone. */
const MOST_DOCUMENTS = 2_000;
const MOST_CHARACTERS = 4_000_000;

/** One database of an ArangoDB by its HTTP API: the stand-in's and a real one's alike. */
export class GraphStore {
  constructor(private readonly account: ArangoAccount) {}

  /** Collections with how many documents each has; none where the database is not there. */
  async collections(): Promise<Map<string, number>> {
    const listed = await this.#ask('GET', '/_api/collection?excludeSystem=true');
    if (listed.status === 404) return new Map();
    const { result } = (await this.#good(listed)) as { result: { name: string; isSystem: boolean }[] };
    const counts = new Map<string, number>();
    for (const { name } of result.filter(({ isSystem }) => !isSystem)) {
      const answer = await this.#good(await this.#ask('GET', `/_api/collection/${name}/count`));
      counts.set(name, (answer as { count: number }).count);
    }
    return counts;
  }

  /** Every document by its key, as it is when its page is read: a collection that changes meanwhile is of no one moment. */
  async *documents(collection: string, pageSize = 1_000): AsyncGenerator<Document> {
    for (let after = ''; ;) {
      const query =
        'FOR d IN @@collection FILTER d._key > @after SORT d._key LIMIT @limit RETURN UNSET(d, "_id", "_rev")';
      const bindVars = { '@collection': collection, after, limit: pageSize };
      const answer = await this.#good(
        await this.#ask('POST', '/_api/cursor', { query, bindVars, batchSize: pageSize }),
      );
      const { result } = answer as { result: Document[] };
      yield* result;
      if (result.length < pageSize) return;
      after = (result.at(-1) as Document)._key;
    }
  }

  /** Adds documents; one that is there already, or is refused, makes it throw. Answers how many. */
  async insert(collection: string, documents: AsyncIterable<Document>): Promise<number> {
    let written = 0;
    let waiting: Document[] = [];
    let characters = 0;
    const flush = async (): Promise<void> => {
      await this.put(collection, waiting, 'conflict');
      written += waiting.length;
      waiting = [];
      characters = 0;
    };
    for await (const document of documents) {
      waiting.push(document);
      characters += JSON.stringify(document).length;
      if (waiting.length >= MOST_DOCUMENTS || characters >= MOST_CHARACTERS) await flush();
    }
    if (waiting.length > 0) await flush();
    return written;
  }

  /** Writes documents, in place of those that are there where `mode` says so. */
  async put(collection: string, documents: readonly Document[], mode: 'conflict' | 'replace'): Promise<void> {
    for (let pending = documents, tries = 1; pending.length > 0; tries += 1) {
      const path = `/_api/document/${collection}?overwriteMode=${mode}`;
      const answers = (await this.#good(await this.#ask('POST', path, pending))) as Answer[];
      const refused = answers.find(({ error, errorNum }) => error === true && errorNum !== CONFLICT);
      if (refused !== undefined)
        throw new Error(`ArangoDB refused a document of ${collection}: ${refused.errorMessage ?? ''}`);
      pending = pending.filter((_, at) => answers[at]?.error === true);
      if (pending.length > 0 && tries >= MOST_TRIES)
        throw new Error(`ArangoDB took ${pending.length} documents of ${collection} not in ${tries} tries`);
      if (pending.length > 0) await pause(tries * 5);
    }
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Response> {
    const { url, database, username, password } = this.account;
    return fetch(`${url.replace(/\/$/, '')}/_db/${encodeURIComponent(database)}${path}`, {
      method,
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    });
  }

  async #good(response: Response): Promise<unknown> {
    const content = (await response.json()) as Answer;
    if (response.ok) return content;
    throw new Error(`ArangoDB answered ${response.status}: ${content.errorMessage ?? 'no reason given'}`);
  }
}
