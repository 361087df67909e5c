import type { EmbeddedConfig } from './config';
import type { Exchange } from './http/exchange';
import { GroupCommit } from './http/group-commit';
import { Router } from './http/router';
import { listen } from './http/server';
import { Engine } from './store/engine';

export interface RunningServer {
  readonly url: string;
  /** Requests answered since the start, by method and path below `/_api`: `POST document/users`. For specs that count. */
  readonly requests: ReadonlyMap<string, number>;
  /** Ends open connections and closes the database files. */
  close(): Promise<void>;
}

/** Starts the server in this process, with its database created; specs use this, everyone else `dist/main.js`. */
export async function startEmbedded(config: EmbeddedConfig): Promise<RunningServer> {
  const engine = new Engine(config.dataDir);
  if (!engine.databases().includes(config.database)) engine.createDatabase(config.database);
  const requests = new Map<string, number>();
  const routes = new GroupCommit(engine, new Router(engine, config));
  const { server, url } = await listen(
    { answer: (exchange) => (tally(requests, exchange), routes.answer(exchange)) },
    config.host,
    config.port,
  );
  return {
    url,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await engine.close();
    },
  };
}

function tally(requests: Map<string, number>, { method, path, query }: Exchange): void {
  const reading = query.get('onlyget') === 'true';
  const name = `${reading ? 'GET' : method} ${path.slice(1, path[1] === 'cursor' ? 2 : 3).join('/')}`;
  requests.set(name, (requests.get(name) ?? 0) + 1);
}
