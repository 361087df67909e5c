import type { EmbeddedConfig } from './config';
import type { Exchange } from './http/exchange';
import { GroupCommit } from './http/group-commit';
import { Router } from './http/router';
import { listen } from './http/server';
import { Engine } from './store/engine';

export interface RunningServer {
  readonly url: string;
  /** Ends open connections and closes the database files. */
  close(): Promise<void>;
}

/** A request as it arrives, before anything of it is checked. */
export type Arrival = Pick<Exchange, 'method' | 'path' | 'query'>;

/**
 * Starts the server in this process, with its database created; specs use this, everyone else `dist/main.js`.
 * `onArrival` is for specs that count: the server itself remembers nothing of a request.
 */
export async function startEmbedded(
  config: EmbeddedConfig,
  onArrival: (arrival: Arrival) => void = () => undefined,
): Promise<RunningServer> {
  const engine = new Engine(config.dataDir);
  if (!engine.databases().includes(config.database)) engine.createDatabase(config.database);
  const routes = new GroupCommit(engine, new Router(engine, config));
  const { server, url } = await listen(
    { answer: (exchange) => (onArrival(exchange), routes.answer(exchange)) },
    config.host,
    config.port,
  );
  return {
    url,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await engine.close();
    },
  };
}
