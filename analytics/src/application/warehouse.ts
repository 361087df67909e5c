import { DomainError } from '@sociograph/kernel';
import type { Row, Table } from './tables';

/** People of one network in one workspace. */
export interface Scope {
  readonly workspaceId: string;
  readonly network: string;
}

/** What is to be written together: at most one row for each key of a table. */
export type RowsOfTable = ReadonlyMap<Table, readonly Row[]>;

/** Where the tables are. Writing the same rows again, or older ones of the same keys, changes nothing. */
export abstract class Warehouse {
  /** Creates what is missing; harmless when repeated. */
  abstract prepare(): Promise<void>;
  /** Resolves when the rows are durable. Throws `ANALYTICS.ROWS_REFUSED` or `ANALYTICS.WAREHOUSE_UNAVAILABLE`. */
  abstract write(rows: RowsOfTable): Promise<void>;
  /** Every id of a person that any table names, once each. */
  abstract peopleIn(scope: Scope): Promise<string[]>;
  /** Removes these people's rows, and their ids from the lists of others. */
  abstract erase(scope: Scope, ids: readonly string[]): Promise<void>;
  abstract removePosts(scope: Scope, ids: readonly string[]): Promise<void>;
  /** Rows of a query; whole numbers may be texts where they do not fit a double. */
  abstract ask(sql: string): Promise<Record<string, unknown>[]>;
  /** True when the warehouse answers. */
  abstract answers(): Promise<boolean>;
  abstract close(): Promise<void>;
}

/** A wait as a port, so that specs need not wait. */
export abstract class Pause {
  /** Resolves after that time; rejects when the process ends before. */
  abstract wait(ms: number): Promise<void>;
}

/** The warehouse does not take this content, however often it is offered. Without a cause: engines quote rows, and logs tell causes. */
export function rowsRefused(reason: string): DomainError {
  return new DomainError({
    code: 'ANALYTICS.ROWS_REFUSED',
    kind: 'unprocessable',
    message: `The warehouse refuses the rows: ${reason}`,
  });
}

/** The warehouse cannot be reached or cannot work: no row is to blame. */
export function warehouseUnavailable(reason: string, cause?: unknown): DomainError {
  return new DomainError({
    code: 'ANALYTICS.WAREHOUSE_UNAVAILABLE',
    kind: 'unavailable',
    message: `The warehouse does not work: ${reason}`,
    cause,
  });
}

/** A write is broken off between two tries; its records come again at the next start. */
export function stopping(): DomainError {
  return new DomainError({
    code: 'ANALYTICS.STOPPING',
    kind: 'unavailable',
    message: 'The process stops before the write is tried again.',
  });
}
