import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { Postgres } from '@sociograph/postgres';
import { createLogger } from '@sociograph/observability';
import { runMain } from '@sociograph/service-host';
import { RedriveCalls } from './application/redrive-calls';
import { redriveConfig } from './config';
import { PgCallLedger } from './infrastructure/pg-call-ledger';
import { openPrisma, PrismaImports } from './infrastructure/prisma-imports';
import { RabbitDeadCalls } from './infrastructure/rabbit-dead-calls';

const SHOWN = 200;
const HELP = `npm run redrive -- list | all | <id>...
  list   shows the first ${SHOWN} dead calls, oldest first: id, code, reason, import
  all    sends every dead call back to its queue
  <id>   sends these back
`;

/** `redrive`: what POST /v1/dead-calls/{id}/redrive does, for those who have the servers and no token. */
runMain(async () => {
  const words = process.argv.slice(2);
  if (words.length === 0 || words.some((word) => word.startsWith('-'))) {
    process.stderr.write(HELP);
    process.exitCode = words[0] === '--help' ? 0 : 2;
    return;
  }
  const config = redriveConfig();
  const logger = createLogger({ service: 'parser-service', instance: 'redrive', level: config.LOG_LEVEL });
  const [app, worker] = [config.DATABASE_URL_APP, config.DATABASE_URL_WORKER].map(
    (url) => new Postgres({ url, max: 2, logger }),
  ) as [Postgres, Postgres];
  const prisma = openPrisma(config.DATABASE_URL_APP);
  const calls = new RedriveCalls(
    new RabbitDeadCalls(config.RABBITMQ_URL, worker),
    new PgCallLedger(worker),
    new PrismaImports(prisma, app, worker),
    new SystemClock(),
    new TimeOrderedIds(),
  );
  const requester = { by: 'npm run redrive' };
  try {
    if (words[0] === 'list') {
      for (const { id, code, reason, task } of await calls.list(SHOWN))
        process.stdout.write(`${[id, code, reason, task?.importId ?? '-'].join('\t')}\n`);
    } else if (words[0] === 'all') {
      const { redriven, refused } = await calls.all(requester);
      process.stdout.write(`${redriven} redriven, ${refused} of imports that do not go on\n`);
    } else {
      for (const id of words) {
        await calls.one(id, requester);
        process.stdout.write(`${id} redriven\n`);
      }
    }
  } finally {
    await Promise.all([prisma.$disconnect(), app.end(), worker.end()]);
  }
});
