import type { Provider } from '@nestjs/common';
import { ArangoIdempotencyStore, type connectArango } from '@sociograph/arango';
import { workspaceLimits } from '@sociograph/auth';
import { IdempotencyStore, type WriteAudit } from '@sociograph/kernel';
import { workerErrors } from '@sociograph/observability';
import { ConfigError, type HostContext } from '@sociograph/service-host';
import { MakeExportFile } from './application/make-export-file';
import { ReadExports } from './application/read-exports';
import { ReadPerson } from './application/read-person';
import { RemoveExports } from './application/remove-exports';
import { RequestExport } from './application/request-export';
import { RunExports } from './application/run-exports';
import type { GraphStorageConfig } from './config';
import { ExportPurge } from './domain/erasure-ports';
import type { ExportFiles, ExportLimits, ExportRecords, ImportLog } from './domain/export-ports';
import { PromExportMeter } from './export-metrics';
import { ArangoExportSource } from './infrastructure/arango-export-source';
import { ArangoExports } from './infrastructure/arango-exports';
import { DuckDbExportDrafts } from './infrastructure/duckdb-export-drafts';
import { LocalExportFiles } from './infrastructure/local-export-files';
import { S3ExportFiles } from './infrastructure/s3-export-files';
import { ExportWorker } from './presentation/export-worker';

/** The wiring of exports: records and drafts, where files are kept, who makes them, how they go. */
export function exportProviders(
  config: GraphStorageConfig,
  ctx: HostContext,
  db: ReturnType<typeof connectArango>,
  imports: ImportLog,
  audit: WriteAudit,
): Provider[] {
  const { clock, ids, logger, shutdown } = ctx;
  const records = new ArangoExports(db);
  const drafts = new DuckDbExportDrafts(config.EXPORTS_FOLDER);
  const files = exportFiles(config);
  const meter = new PromExportMeter(ctx.metrics);
  const answers = new ArangoIdempotencyStore(db, clock);
  const removals = new RemoveExports(records, files, drafts, audit, clock);
  const make = new MakeExportFile(new ArangoExportSource(db), imports, drafts, files);
  const perWorkspace = config.EXPORTS_PARALLEL_PER_WORKSPACE;
  const limits = exportLimits(config, ctx, records);
  const runs = new RunExports(records, files, make, meter, clock, ids, perWorkspace, limits);
  const errors = workerErrors(ctx.metrics);
  const tidy = () => answers.sweep();
  const worker = new ExportWorker(runs, removals, logger, tidy, () => errors.inc({ work: 'exports' }));
  shutdown.add('finish', 'exports', () => worker.stop());
  return [
    { provide: IdempotencyStore, useValue: answers },
    {
      provide: RequestExport,
      inject: [ReadPerson],
      useFactory: (people: ReadPerson) =>
        new RequestExport(records, people, meter, limits, audit, clock, ids),
    },
    { provide: ReadExports, useValue: new ReadExports(records, files, clock) },
    { provide: RemoveExports, useValue: removals },
    { provide: ExportWorker, useValue: worker },
    { provide: ExportPurge, useValue: new PurgeExports(removals, answers) },
  ];
}

/** Limits of workspaces from identity-service, which is told how much of them is used. */
function exportLimits(config: GraphStorageConfig, ctx: HostContext, records: ExportRecords): ExportLimits {
  const limits = workspaceLimits(config.REDIS_POOL_URL, ctx, {
    service: 'graph-storage-service',
    count: async () => {
      const use = await records.use(ctx.clock.nowMs());
      return new Map(
        [...use].map(([workspaceId, { exports, bytes }]) => [
          workspaceId,
          { exports, 'stored-bytes': bytes },
        ]),
      );
    },
  });
  return {
    exports: (workspaceId) => limits.limitOf(workspaceId, 'exports', config.EXPORTS_PER_WORKSPACE),
    bytes: (workspaceId) => limits.limitOf(workspaceId, 'stored-bytes', config.EXPORTS_BYTES_PER_WORKSPACE),
  };
}

/** What an erasure asks for: files and the records that may name someone, then the kept answers that do. */
class PurgeExports extends ExportPurge {
  constructor(
    private readonly removals: RemoveExports,
    private readonly answers: ArangoIdempotencyStore,
  ) {
    super();
  }

  async ofGraph(workspaceId: string, network: string): Promise<void> {
    await this.removals.ofGraph(workspaceId, network);
    await this.answers.forget(workspaceId);
  }
}

function exportFiles(config: GraphStorageConfig): ExportFiles {
  if (config.EXPORTS_STORE !== 's3') return new LocalExportFiles(config.EXPORTS_FOLDER);
  if (config.EXPORTS_S3_BUCKET === undefined)
    throw new ConfigError([{ name: 'EXPORTS_S3_BUCKET', message: 'is missing' }]);
  return new S3ExportFiles({
    bucket: config.EXPORTS_S3_BUCKET,
    region: config.EXPORTS_S3_REGION,
    endpoint: config.EXPORTS_S3_ENDPOINT,
    publicEndpoint: config.EXPORTS_S3_PUBLIC_ENDPOINT,
  });
}
