import { randomBytes } from 'node:crypto';
import { ArangoFault, documentNotFound } from '../faults';
import type { Mischief } from '../mischief';
import type { Collection, Written } from '../store/collection';
import { type Doc, documentText, isDocumentKey, revisionOf } from '../store/document';
import type { Engine } from '../store/engine';
import { type Answer, bodyOf, type Exchange, flag } from './exchange';

interface WriteOptions {
  overwriteMode: 'conflict' | 'ignore' | 'replace' | 'update';
  ignoreRevs: boolean;
  keepNull: boolean;
  mergeObjects: boolean;
  returnOld: boolean;
  returnNew: boolean;
  silent: boolean;
}

type Operation = (collection: Collection, input: unknown, options: WriteOptions, rev?: string) => Written;

/** `/_api/document/...`: single documents and arrays. */
export class DocumentRoutes {
  constructor(
    private readonly engine: Engine,
    private readonly mischief: Mischief,
  ) {}

  handle(exchange: Exchange): Answer {
    const [, , name = '', key] = exchange.path;
    const collection = this.engine.collection(exchange.database, name);
    switch (exchange.method) {
      case 'GET':
      case 'HEAD':
        return this.#read(collection, key, exchange);
      case 'POST':
        return this.#write(collection, undefined, exchange, insert);
      case 'PUT':
        if (key === undefined && flag(exchange, 'onlyget', false))
          return this.#readMany(collection, exchange);
        return this.#write(collection, key, exchange, replace);
      case 'PATCH':
        return this.#write(collection, key, exchange, update);
      case 'DELETE':
        return this.#write(collection, key, exchange, remove);
      default:
        throw new ArangoFault(405, 'method not supported');
    }
  }

  #read(collection: Collection, key: string | undefined, exchange: Exchange): Answer {
    const stored = key === undefined ? undefined : collection.stored(key);
    if (key === undefined || stored === undefined) throw documentNotFound();
    const rev = revisionOf(stored);
    const match = unquoted(exchange.headers['if-match']);
    if (match !== undefined && match !== rev) throw preconditionFailed(collection, key, rev);
    const headers = { etag: `"${rev}"` };
    if (unquoted(exchange.headers['if-none-match']) === rev) return { status: 304, json: '', headers };
    return { status: 200, json: documentText(collection.name, key, stored), headers };
  }

  /** Answers in the order of the request; what is missing stands as inline error 1202. */
  #readMany(collection: Collection, exchange: Exchange): Answer {
    const wanted = bodyOf(exchange);
    if (!Array.isArray(wanted)) throw new ArangoFault(600, 'expecting a JSON array');
    const parts = wanted.map((selector: unknown) => {
      const key = keyOf(selector, collection);
      const stored = key === undefined ? undefined : collection.stored(key);
      return key !== undefined && stored !== undefined
        ? documentText(collection.name, key, stored)
        : inline(documentNotFound());
    });
    return { status: 200, json: `[${parts.join(',')}]` };
  }

  #write(collection: Collection, key: string | undefined, exchange: Exchange, operation: Operation): Answer {
    const options = writeOptions(exchange);
    const synced = flag(exchange, 'waitForSync', collection.record.waitForSync ?? false);
    const done = synced ? (operation === remove ? 200 : 201) : 202;
    if (key !== undefined) return this.#writeOne(collection, key, exchange, operation, options, done);
    const body = bodyOf(exchange);
    if (Array.isArray(body)) return this.#writeMany(collection, body, operation, options, done);
    if (operation !== insert) throw new ArangoFault(600, 'expecting a JSON array');
    return this.#single(collection, () => operation(collection, body, options), options, done, exchange);
  }

  #writeOne(
    collection: Collection,
    key: string,
    exchange: Exchange,
    operation: Operation,
    options: WriteOptions,
    done: number,
  ): Answer {
    const body = operation === remove ? {} : (bodyOf(exchange) as Doc);
    const match = unquoted(exchange.headers['if-match']);
    const stored = collection.stored(key);
    if (match !== undefined && stored !== undefined && match !== revisionOf(stored)) {
      throw preconditionFailed(collection, key, revisionOf(stored));
    }
    return this.#single(
      collection,
      () => operation(collection, { ...body, _key: key }, options),
      options,
      done,
      exchange,
    );
  }

  #single(
    collection: Collection,
    change: () => Written,
    options: WriteOptions,
    done: number,
    exchange: Exchange,
  ): Answer {
    if (this.mischief.conflict()) throw writeConflict();
    const written = this.engine.write(change);
    const headers = {
      etag: `"${written.rev}"`,
      location: `/_db/${exchange.database}/_api/document/${collection.name}/${written.key}`,
    };
    return { status: done, json: options.silent ? '{}' : reply(collection, written, options), headers };
  }

  /** Not atomic: elements that fail are reported inline, the others stay. One flush for all. */
  #writeMany(
    collection: Collection,
    inputs: unknown[],
    operation: Operation,
    options: WriteOptions,
    done: number,
  ): Answer {
    const codes: Record<string, number> = {};
    const parts = this.engine.write(() =>
      inputs.map((input) => {
        try {
          if (this.mischief.conflict()) throw writeConflict();
          const written = operation(collection, input, options);
          return options.silent ? '' : reply(collection, written, options);
        } catch (error) {
          if (!(error instanceof ArangoFault)) throw error;
          codes[error.errorNum] = (codes[error.errorNum] ?? 0) + 1;
          return inline(error);
        }
      }),
    );
    const headers: Record<string, string> = {};
    if (Object.keys(codes).length > 0) headers['x-arango-error-codes'] = JSON.stringify(codes);
    const shown = options.silent ? parts.filter((part) => part !== '') : parts;
    return { status: done, json: `[${shown.join(',')}]`, headers };
  }
}

function insert(collection: Collection, input: unknown, options: WriteOptions): Written {
  const doc = object(input);
  const given = doc['_key'];
  if (given !== undefined && !isDocumentKey(given)) throw new ArangoFault(1221, 'illegal document key');
  const key = given ?? `${Date.now()}${randomBytes(4).readUInt32BE()}`;
  const before = collection.stored(key);
  if (before === undefined || options.overwriteMode === 'replace') return collection.write(key, doc, before);
  if (options.overwriteMode === 'update') return collection.patch(key, doc, before, options);
  if (options.overwriteMode === 'ignore') return { key, rev: revisionOf(before), before };
  throw new ArangoFault(
    1210,
    `unique constraint violated - in index primary of type primary over '_key'; conflicting key: ${key}`,
    undefined,
    { _id: `${collection.name}/${key}`, _key: key, _rev: revisionOf(before) },
  );
}

function replace(collection: Collection, input: unknown, options: WriteOptions): Written {
  const doc = object(input);
  const key = requiredKey(doc, collection);
  return collection.write(key, doc, collection.require(key, expectedRev(doc, options)));
}

function update(collection: Collection, input: unknown, options: WriteOptions): Written {
  const doc = object(input);
  const key = requiredKey(doc, collection);
  const before = collection.require(key, expectedRev(doc, options));
  return collection.patch(key, doc, before, options);
}

function remove(collection: Collection, input: unknown, options: WriteOptions): Written {
  const key = keyOf(input, collection);
  if (key === undefined) throw new ArangoFault(1221, 'illegal document key');
  if (key.includes('/')) throw documentNotFound(); // a handle of another collection
  const rev = typeof input === 'object' && input !== null ? expectedRev(input as Doc, options) : undefined;
  return collection.remove(key, collection.require(key, rev));
}

function expectedRev(doc: Doc, { ignoreRevs }: WriteOptions): string | undefined {
  return ignoreRevs || typeof doc['_rev'] !== 'string' ? undefined : doc['_rev'];
}

function keyOf(selector: unknown, collection: Collection): string | undefined {
  if (typeof selector === 'object' && selector !== null) {
    const { _key, _id } = selector as Doc;
    return typeof _key === 'string' ? _key : typeof _id === 'string' ? keyOf(_id, collection) : undefined;
  }
  if (typeof selector !== 'string') return undefined;
  const prefix = `${collection.name}/`;
  if (selector.startsWith(prefix)) return selector.slice(prefix.length);
  return selector;
}

function requiredKey(doc: Doc, collection: Collection): string {
  const key = keyOf(doc, collection);
  if (key === undefined) throw new ArangoFault(1227, 'invalid key type');
  return key;
}

function object(input: unknown): Doc {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Doc;
  throw new ArangoFault(1227, 'invalid document type');
}

function reply(collection: Collection, written: Written, options: WriteOptions): string {
  const { key, rev, old, before, after } = written;
  let json = `{"_id":"${collection.name}/${key}","_key":"${key}","_rev":"${rev}"`;
  if (old !== undefined) json += `,"_oldRev":"${old}"`;
  if (options.returnOld && before !== undefined)
    json += `,"old":${documentText(collection.name, key, before)}`;
  if (options.returnNew)
    json += `,"new":${after === undefined ? 'null' : documentText(collection.name, key, after)}`;
  return `${json}}`;
}

function inline({ errorNum, message, extra }: ArangoFault): string {
  return JSON.stringify({ error: true, errorNum, errorMessage: message, ...extra });
}

function writeConflict(): ArangoFault {
  return new ArangoFault(
    1200,
    "write-write conflict - in index primary of type primary over '_key' (test mode)",
  );
}

function preconditionFailed(collection: Collection, key: string, rev: string): ArangoFault {
  const extra = { _id: `${collection.name}/${key}`, _key: key, _rev: rev };
  return new ArangoFault(1200, 'conflict, _rev values do not match', 412, extra);
}

function unquoted(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header.replace(/^"|"$/g, '') : undefined;
}

function writeOptions(exchange: Exchange): WriteOptions {
  const mode = exchange.query.get('overwriteMode');
  const overwrite = flag(exchange, 'overwrite', false) ? 'replace' : 'conflict';
  if (mode !== null && !['conflict', 'ignore', 'replace', 'update'].includes(mode)) {
    throw new ArangoFault(400, 'invalid overwriteMode');
  }
  return {
    overwriteMode: (mode as WriteOptions['overwriteMode'] | null) ?? overwrite,
    ignoreRevs: flag(exchange, 'ignoreRevs', true),
    keepNull: flag(exchange, 'keepNull', true),
    mergeObjects: flag(exchange, 'mergeObjects', true),
    returnOld: flag(exchange, 'returnOld', false),
    returnNew: flag(exchange, 'returnNew', false),
    silent: flag(exchange, 'silent', false),
  };
}
