export { migrate } from './migrate';
export type { MigrateOptions } from './migrate';
export { isRepeatable, isUniqueViolation, Postgres } from './postgres';
export type { PostgresLogger, PostgresOptions, Queryable, QueryOutcome } from './postgres';
export { reportConnections } from './report-connections';
export type { GaugeRegistry, Loaded } from './report-connections';
export { prismaInWorkspace } from './prisma-in-workspace';
export type { PrismaTransaction, PrismaTransactions } from './prisma-in-workspace';
export { PostgresIdempotencyStore } from './idempotency-store';
