import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { createLogger } from '@sociograph/observability';
import { runMain } from '@sociograph/service-host';
import { migrationConfig } from './config';
import { VIEW_MIGRATIONS } from './infrastructure/view-migrations';

/** Brings the views' database up to date; harmless when repeated. */
runMain(async () => {
  const config = migrationConfig();
  const logger = createLogger({
    service: 'read-model-projector',
    instance: 'migrate',
    level: config.LOG_LEVEL,
  });
  const db = connectArango({
    url: config.ARANGO_URL,
    database: config.ARANGO_DATABASE,
    username: config.ARANGO_USERNAME,
    password: config.ARANGO_PASSWORD,
  });
  const applied = await new ArangoMigrations(db, 'read-model-projector', VIEW_MIGRATIONS).run();
  logger.info({ applied }, 'the views database is up to date');
  db.close();
});
