import type { Postgres } from '@sociograph/postgres';
import { type LearnedPath, LearnedPaths } from '../domain/learned-path';

/** Learned paths in PostgreSQL, one row a network. */
export class PgLearnedPaths extends LearnedPaths {
  readonly #postgres: Postgres;

  constructor(postgres: Postgres) {
    super();
    this.#postgres = postgres;
  }

  async get(network: string): Promise<LearnedPath | undefined> {
    const { rows } = await this.#postgres.query<{ path: LearnedPath }>(
      'SELECT path FROM learned_paths WHERE network = $1',
      [network],
    );
    return rows[0]?.path;
  }

  async save(network: string, path: LearnedPath): Promise<void> {
    await this.#postgres.query(
      `INSERT INTO learned_paths (network, path) VALUES ($1, $2)
       ON CONFLICT (network) DO UPDATE SET path = EXCLUDED.path, updated_at = now()`,
      [network, JSON.stringify(path)],
    );
  }

  async remove(network: string): Promise<void> {
    await this.#postgres.query('DELETE FROM learned_paths WHERE network = $1', [network]);
  }
}
