import type { EmbeddedConfig } from '../config';
import { ArangoFault, unsupported } from '../faults';
import { Mischief } from '../mischief';
import type { Engine } from '../store/engine';
import { AccessControl } from './access-control';
import { CollectionRoutes, IndexRoutes } from './collection-routes';
import { CursorRoutes } from './cursor-routes';
import { DocumentRoutes } from './document-routes';
import { type Answer, type Exchange, failure, objectBody, success } from './exchange';

/** The version whose answers the recorded exchanges show; clients choose by it what they may send. */
const VERSION = '3.12.10';

/** Finds the route of an exchange; every failure becomes ArangoDB's error envelope. */
export class Router {
  readonly #access: AccessControl;
  readonly #routes: Record<string, { handle(exchange: Exchange): Answer }>;

  constructor(
    private readonly engine: Engine,
    config: Pick<EmbeddedConfig, 'accounts' | 'testMode'>,
  ) {
    const mischief = new Mischief(config.testMode);
    this.#access = new AccessControl(config.accounts);
    this.#routes = {
      document: new DocumentRoutes(engine, mischief),
      collection: new CollectionRoutes(engine),
      index: new IndexRoutes(engine),
      cursor: new CursorRoutes(engine, mischief),
    };
  }

  answer(exchange: Exchange): Answer {
    try {
      return this.#route(exchange);
    } catch (error) {
      if (error instanceof ArangoFault) return failure(error);
      const text = error instanceof Error ? error.message : String(error);
      process.stderr.write(
        `${JSON.stringify({ level: 'error', msg: 'request failed', path: exchange.path, error: text })}\n`,
      );
      return failure(new ArangoFault(4, 'internal error'));
    }
  }

  #route(exchange: Exchange): Answer {
    const [api, resource = ''] = exchange.path;
    if (api === '_open' && resource === 'auth') {
      const { username, password } = objectBody(exchange);
      return { status: 200, json: JSON.stringify({ jwt: this.#access.token(username, password) }) };
    }
    if (api === '_admin' && resource === 'server') return success(200, { mode: 'default' }); // availability, no login
    const account = this.#access.authenticate(header(exchange, 'authorization'));
    if (api === '_api' && resource === 'version') return VERSION_ANSWER;
    if (api === '_api' && resource === 'engine')
      return {
        status: 200,
        json: '{"name":"lmdb","supports":{"indexes":["primary","edge","persistent"],"aliases":{"indexes":{}}}}',
      };
    this.#access.authorize(account, exchange.database);
    if (!this.engine.databases().includes(exchange.database))
      throw new ArangoFault(1228, 'database not found');
    if (api === '_api' && resource === 'database') return this.#databases(exchange);
    if (header(exchange, 'x-arango-trx-id') !== undefined) throw unsupported('a stream transaction');
    const route =
      api === '_api' && Object.hasOwn(this.#routes, resource) ? this.#routes[resource] : undefined;
    if (!route) throw unsupported(`the route /${exchange.path.join('/')}`);
    return route.handle(exchange);
  }

  #databases(exchange: Exchange): Answer {
    const { method, path, database } = exchange;
    if (path[2] === 'current')
      return success(200, {
        result: { id: '1', name: database, isSystem: database === '_system', path: 'none' },
      });
    if (method === 'GET' && path[2] === 'user') return success(200, { result: this.engine.databases() });
    if (database !== '_system') throw new ArangoFault(1230, 'operation only allowed in system database');
    if (method === 'GET') return success(200, { result: this.engine.databases() });
    if (method === 'DELETE') this.engine.dropDatabase(path[2] ?? '');
    else this.engine.createDatabase(String(objectBody(exchange)['name']));
    return success(method === 'DELETE' ? 200 : 201, { result: true });
  }
}

const VERSION_ANSWER: Answer = {
  status: 200,
  json: JSON.stringify({
    server: 'arango',
    license: 'community',
    version: VERSION,
    apiVersions: ['v0'],
    details: { stand_in: 'arango-embedded' },
  }),
};

function header(exchange: Exchange, name: string): string | undefined {
  const value = exchange.headers[name];
  return typeof value === 'string' ? value : undefined;
}
