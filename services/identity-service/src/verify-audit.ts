import { isEvent, createKafka, replayTopic } from '@sociograph/messaging';
import { auditSealed, TOPICS } from '@sociograph/contracts';
import { TimeOrderedIds } from '@sociograph/kernel';
import { createLogger } from '@sociograph/observability';
import { Postgres } from '@sociograph/postgres';
import { runMain } from '@sociograph/service-host';
import { checkTrail, type HeadsByWorkspace } from './application/check-trail';
import { verifyConfig } from './config';
import type { Head } from './domain/audit-chain';
import { headLines } from './infrastructure/append-head-file';
import { PgAuditTrail } from './infrastructure/pg-audit-trail';
import { KeyedSealing, readKey } from './infrastructure/secrets';

/** Entries get their seal within a second; what is older than this without one was kept from the sealer. */
const UNSEALED_AFTER_S = 30;

runMain(async () => {
  const config = verifyConfig();
  const logger = createLogger({ service: 'identity-service', instance: 'verify', level: config.LOG_LEVEL });
  const postgres = (url: string): Postgres => new Postgres({ url, max: 2, logger });
  const [worker, app] = [postgres(config.DATABASE_URL_WORKER), postgres(config.DATABASE_URL_APP)];
  const heads: HeadsByWorkspace = new Map();
  const add = (head: Head): void => {
    const known = heads.get(head.workspaceId);
    if (known === undefined) heads.set(head.workspaceId, [head]);
    else known.push(head);
  };
  for await (const { id: _id, ...head } of headLines(config.AUDIT_HEADS_FILE)) add(head);
  await replayTopic({
    kafka: createKafka({
      brokers: config.KAFKA_BROKERS,
      username: config.KAFKA_USERNAME,
      password: config.KAFKA_PASSWORD,
      clientId: 'identity-service-verify',
      logger,
    }),
    topic: TOPICS.auditHeads,
    from: 'earliest',
    to: 'end',
    reader: 'identity-service',
    onBatch: async ({ records }) => {
      for (const record of records) if (isEvent(record, auditSealed)) add(record.value);
    },
  });
  const trail = new PgAuditTrail(worker, app, new TimeOrderedIds());
  const { findings, rows, workspaces } = await checkTrail(
    trail,
    heads,
    new KeyedSealing(readKey(config.AUDIT_KEY_FILE)),
    UNSEALED_AFTER_S,
  );
  await Promise.all([worker.end(), app.end()]);
  for (const finding of findings)
    process.stdout.write(`${finding.workspaceId} row ${finding.seq}: ${finding.fault}\n`);
  process.stdout.write(
    findings.length === 0
      ? `the audit trail is whole: ${rows} rows of ${workspaces} workspaces\n`
      : `the audit trail was tampered with: ${findings.length} findings in ${rows} rows of ${workspaces} workspaces\n`,
  );
  process.exit(findings.length === 0 ? 0 : 1);
});
