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
const NOT_FOUND = 1202;
/** A page of large documents may take its time before the next one is asked for. */
const CURSOR_SECONDS = 600;
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

  /**
   * The documents that are there when this begins, each as it is when it is read; those that go meanwhile are left out. Keys come
   * from a cursor, documents by their keys: a page behind a key would cost the stand-in the whole rest of the collection.
   */
  async *documents(collection: string, pageSize = 1_000): AsyncGenerator<Document> {
    for await (const keys of this.#keys(collection, pageSize)) {
      const path = `/_api/document/${collection}?onlyget=true`;
      const answers = (await this.#good(await this.#ask('PUT', path, keys))) as (Document & Answer)[];
      for (const { _id: _, _rev: __, ...document } of answers) {
        if (document.error !== true) yield document as Document;
        else if (document.errorNum !== NOT_FOUND)
          throw new Error(
            `ArangoDB did not give a document of ${collection}: ${document.errorMessage ?? ''}`,
          );
      }
    }
  }

  async *#keys(collection: string, pageSize: number): AsyncGenerator<string[]> {
    let answer = await this.#cursor('', {
      query: 'FOR d IN @@collection RETURN d._key',
      bindVars: { '@collection': collection },
      batchSize: pageSize,
      ttl: CURSOR_SECONDS,
      options: { stream: true },
    });
    for (; answer.hasMore; answer = await this.#cursor(`/${answer.id}`)) yield answer.result;
    if (answer.result.length > 0) yield answer.result;
  }

  async #cursor(path: string, body?: object): Promise<{ result: string[]; hasMore: boolean; id?: string }> {
    const answer = await this.#good(await this.#ask('POST', `/_api/cursor${path}`, body));
    return answer as { result: string[]; hasMore: boolean; id?: string };
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
