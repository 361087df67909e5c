import { AsyncLocalStorage } from 'node:async_hooks';
import type { Ids } from '@sociograph/kernel';

const current = new AsyncLocalStorage<string>();

/** What a correlation id may look like (DESIGN 8); anything else could forge log lines or headers. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** Runs `fn`, and all that it starts, under this correlation id. */
export function runWithCorrelation<R>(id: string, fn: () => R): R {
  return current.run(id, fn);
}

/** The correlation id of the work at hand; undefined outside any. */
export function currentCorrelationId(): string | undefined {
  return current.getStore();
}

/** The caller's id when it is harmless, else a new one. */
export function acceptCorrelationId(value: string | undefined, ids: Ids): string {
  return value !== undefined && ACCEPTABLE.test(value) ? value : ids.next();
}
