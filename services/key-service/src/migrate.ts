import { join } from 'node:path';
import { createLogger } from '@sociograph/observability';
import { migrate } from '@sociograph/postgres';
import { runMain } from '@sociograph/service-host';
import { migrationConfig } from './config';

const prisma = join(__dirname, '..', 'prisma');

runMain(async () => {
  const config = migrationConfig();
  await migrate({
    url: config.DATABASE_URL_OWNER,
    schemaFile: join(prisma, 'schema.prisma'),
    migrationsDir: join(prisma, 'migrations'),
    logger: createLogger({ service: 'key-service', instance: 'migrate', level: config.LOG_LEVEL }),
  });
});
