import { ArangoFault, unsupported } from '../faults';
import type { Collection } from '../store/collection';
import type { Engine } from '../store/engine';
import { type Answer, type Exchange, objectBody, success } from './exchange';

/** `/_api/collection/...` */
export class CollectionRoutes {
  constructor(private readonly engine: Engine) {}

  handle(exchange: Exchange): Answer {
    const { method, path, database } = exchange;
    const [, , name, action] = path;
    if (name === undefined) return method === 'POST' ? this.#create(exchange) : this.#list(exchange);
    const collection = this.engine.collection(database, name);
    if (method === 'DELETE') {
      this.engine.dropCollection(database, name);
      return success(200, { id: collection.record.id });
    }
    switch (action) {
      case undefined:
        return success(200, basic(collection));
      case 'properties':
      case 'revision':
        return success(200, properties(collection));
      case 'count':
        return success(200, { ...properties(collection), count: collection.count() });
      case 'truncate':
        this.engine.write(() => collection.truncate());
        return success(200, basic(collection));
      case 'rename':
        return success(
          200,
          basic(this.engine.renameCollection(database, name, String(objectBody(exchange)['name']))),
        );
      case 'compact':
        this.engine.rewrite(collection);
        return success(200, { ...basic(collection), result: true });
      case 'load':
      case 'loadIndexesIntoMemory':
      case 'recalculateCount':
        return success(200, { ...basic(collection), result: true });
      default:
        throw unsupported(`collection/${action}`);
    }
  }

  #create(exchange: Exchange): Answer {
    const body = objectBody(exchange);
    const { name, type = 2 } = body;
    if (typeof name !== 'string') throw new ArangoFault(1208, 'illegal collection name');
    if (type !== 2 && type !== 3) throw new ArangoFault(10, 'collection type must be 2 or 3');
    if (body['schema'] || (Array.isArray(body['computedValues']) && body['computedValues'].length > 0)) {
      throw unsupported('a collection with schema or computedValues');
    }
    return success(
      200,
      properties(this.engine.createCollection(exchange.database, name, type, body['waitForSync'] === true)),
    );
  }

  #list(exchange: Exchange): Answer {
    return success(200, { result: this.engine.collections(exchange.database).map(basic) });
  }
}

/** `/_api/index...` */
export class IndexRoutes {
  constructor(private readonly engine: Engine) {}

  handle(exchange: Exchange): Answer {
    const { method, path, database, query } = exchange;
    const collection = this.engine.collection(database, path[2] ?? query.get('collection') ?? '');
    if (method === 'POST') return this.#create(collection, objectBody(exchange));
    const all = describeAll(collection);
    if (path[2] === undefined) {
      return success(200, {
        indexes: all,
        identifiers: Object.fromEntries(all.map((index) => [index['id'], index])),
      });
    }
    const wanted = path[3] ?? '';
    const found = all.find(({ id, name }) => id === `${collection.name}/${wanted}` || name === wanted);
    if (!found) throw new ArangoFault(1212, 'index not found');
    if (method !== 'DELETE') return success(200, found);
    if (found['type'] !== 'persistent') throw new ArangoFault(11, 'forbidden');
    this.engine.removeIndex(collection, String(found['id']).split('/')[1] as string);
    return success(200, { id: found['id'] });
  }

  #create(collection: Collection, body: Record<string, unknown>): Answer {
    const { type, fields, name, unique = false, sparse = false } = body;
    if (!['persistent', 'hash', 'skiplist'].includes(String(type)))
      throw unsupported(`an index of type ${String(type)}`);
    if (
      !Array.isArray(fields) ||
      fields.length === 0 ||
      !fields.every((field) => typeof field === 'string')
    ) {
      throw new ArangoFault(10, 'fields must be a list of attribute names');
    }
    const wanted = { fields, unique: unique === true, sparse: sparse === true };
    for (const { definition } of collection.persistentIndexes) {
      const { fields: has, unique: isUnique, sparse: isSparse } = definition;
      const same =
        JSON.stringify(wanted) === JSON.stringify({ fields: has, unique: isUnique, sparse: isSparse });
      if (same) return success(200, { ...describe(collection, definition), isNewlyCreated: false });
      if (definition.name === name) throw new ArangoFault(1207, 'duplicate name');
    }
    const generated = `idx_${Date.now()}${collection.persistentIndexes.length}`;
    const definition = this.engine.createIndex(collection, {
      ...wanted,
      type: 'persistent',
      name: typeof name === 'string' ? name : generated,
    });
    return success(201, { ...describe(collection, definition), isNewlyCreated: true });
  }
}

function basic({ record }: Collection): Record<string, unknown> {
  return {
    id: record.id,
    name: record.name,
    status: 3,
    type: record.type,
    isSystem: false,
    globallyUniqueId: `hEMBEDDED/${record.id}`,
  };
}

/** As recorded from a real server: constants are what this server does anyway. */
function properties(collection: Collection): Record<string, unknown> {
  return {
    ...basic(collection),
    statusString: 'loaded',
    waitForSync: collection.record.waitForSync ?? false,
    writeConcern: 1,
    usesRevisionsAsDocumentIds: true,
    syncByRevision: true,
    isSmartChild: false,
    schema: null,
    computedValues: null,
    cacheEnabled: false,
    internalValidatorType: 0,
    keyOptions: { allowUserKeys: true, type: 'traditional', lastValue: 0 },
    objectId: collection.record.id,
  };
}

function describeAll(collection: Collection): Record<string, unknown>[] {
  const primary = {
    id: `${collection.name}/0`,
    name: 'primary',
    type: 'primary',
    fields: ['_key'],
    unique: true,
    sparse: false,
  };
  const edge = {
    id: `${collection.name}/1`,
    name: 'edge',
    type: 'edge',
    fields: ['_from', '_to'],
    unique: false,
    sparse: false,
  };
  const own = collection.persistentIndexes.map(({ definition }) => describe(collection, definition));
  return [primary, ...(collection.record.type === 3 ? [edge] : []), ...own];
}

function describe(collection: Collection, definition: object): Record<string, unknown> {
  const { id, ...rest } = definition as { id: string };
  return {
    id: `${collection.name}/${id}`,
    ...rest,
    deduplicate: true,
    estimates: false,
    cacheEnabled: false,
  };
}
