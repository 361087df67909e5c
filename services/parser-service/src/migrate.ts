import { join } from 'node:path';
import { createLogger } from '@sociograph/observability';
import { migrate } from '@sociograph/postgres';
import { runMain } from '@sociograph/service-host';
import { migrationConfig } from './config';

/** Brings the database of the imports up to date; harmless when repeated. */
runMain(async () => {
  const config = migrationConfig();
  const prisma = join(__dirname, '..', 'prisma');
  await migrate({
    url: config.DATABASE_URL_OWNER,
    schemaFile: join(prisma, 'schema.prisma'),
    migrationsDir: join(prisma, 'migrations'),
    logger: createLogger({ service: 'parser-service', instance: 'migrate', level: config.LOG_LEVEL }),
  });
});
