import 'reflect-metadata';
import { CONSUMER_GROUPS } from '@sociograph/contracts';
import { createHostContext, runMain } from '@sociograph/service-host';
import { analyticsConfig, warehouseConfig } from './config';
import { openWarehouse } from './infrastructure/open-warehouse';
import { questions } from './infrastructure/sql-file';
import { runAnalytics } from './run-analytics';
import { untilCaughtUp } from './until-caught-up';

const USAGE = `npm run analytics -- follow   write the topics to the warehouse and follow them (the default)
npm run analytics -- once     write what is there now, then end
npm run analytics -- ask      answer the three questions of docs/analytics.md from the warehouse
`;

runMain(async () => {
  const command = process.argv[2] ?? 'follow';
  if (command === 'ask') await ask();
  else if (command === 'follow' || command === 'once') await follow(command === 'once');
  else {
    process.stderr.write(USAGE);
    process.exitCode = 2;
  }
});

async function follow(onlyOnce: boolean): Promise<void> {
  const config = analyticsConfig();
  const ctx = createHostContext(config);
  const { logger, management, shutdown } = ctx;
  shutdown.install();
  await management.start();
  shutdown.add('close', 'management port', () => management.close());
  const { kafka, forgetErased } = await runAnalytics(config, ctx);
  logger.info({ managementUrl: management.url }, 'analytics started');
  if (!onlyOnce) return;
  const { name, topics } = CONSUMER_GROUPS.analytics;
  await untilCaughtUp(
    kafka,
    name,
    topics.map((topic) => topic.name),
  );
  await forgetErased();
  await shutdown.exit('caught up');
}

async function ask(): Promise<void> {
  const warehouse = openWarehouse(warehouseConfig());
  try {
    await warehouse.prepare();
    for (const { title, sql } of questions()) {
      const rows = await warehouse.ask(sql);
      process.stdout.write(`\n${title}\n`);
      if (rows.length === 0) process.stdout.write('  nothing is known yet\n');
      for (const row of rows)
        process.stdout.write(
          `  ${Object.entries(row)
            .map(([name, value]) => `${name}=${String(value)}`)
            .join('  ')}\n`,
        );
    }
  } finally {
    await warehouse.close();
  }
}
