export { connectArango } from './connect';
export type { ArangoOptions } from './connect';
export { arangoErrorNum, isConflict, toDomainError } from './errors';
export { bulkGet, bulkWrite } from './bulk';
export type { BulkChange, BulkOutcome, Change, Keyed, Stored } from './bulk';
export { ArangoMigrations, ensureCollection } from './migrations';
export type { ArangoMigration } from './migrations';
export { aqlCatalogue, runNamed } from './aql-catalogue';
export type { AqlCatalogue, NamedQuery } from './aql-catalogue';
