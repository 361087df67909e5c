import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { runMain } from '@sociograph/service-host';
import { migrationConfig } from './config';
import { MIGRATIONS } from './infrastructure/migrations';

/** Brings the graph's database up to date; harmless when repeated. */
runMain(async () => {
  const config = migrationConfig();
  const db = connectArango({
    url: config.ARANGO_URL,
    database: config.ARANGO_DATABASE,
    username: config.ARANGO_USERNAME,
    password: config.ARANGO_PASSWORD,
  });
  const applied = await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
  process.stdout.write(`${JSON.stringify({ msg: 'the graph database is up to date', applied })}\n`);
  db.close();
});
