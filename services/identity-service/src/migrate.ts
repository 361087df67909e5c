import { join } from 'node:path';
import { createLogger } from '@sociograph/observability';
import { migrate } from '@sociograph/postgres';
import { runMain } from '@sociograph/service-host';
import { migrationConfig } from './config';

const database = join(__dirname, '..', 'database');

runMain(async () => {
  const config = migrationConfig();
  await migrate({
    url: config.DATABASE_URL_OWNER,
    schemaFile: join(database, 'schema.prisma'),
    migrationsDir: join(database, 'migrations'),
    logger: createLogger({ service: 'identity-service', instance: 'migrate', level: config.LOG_LEVEL }),
  });
});
