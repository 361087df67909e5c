import type { EmbeddedConfig } from './config';
import { GroupCommit } from './http/group-commit';
import { Router } from './http/router';
import { listen } from './http/server';
import { Engine } from './store/engine';

export interface RunningServer {
  readonly url: string;
  /** Ends open connections and closes the database files. */
  close(): Promise<void>;
}

/** Starts the server in this process, with its database created; specs use this, everyone else `dist/main.js`. */
export async function startEmbedded(config: EmbeddedConfig): Promise<RunningServer> {
  const engine = new Engine(config.dataDir);
  if (!engine.databases().includes(config.database)) engine.createDatabase(config.database);
  const { server, url } = await listen(
    new GroupCommit(engine, new Router(engine, config)),
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
