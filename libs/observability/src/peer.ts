import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string | undefined>();

/** Runs `fn`, and all that it starts, as work for the caller at this network address. */
export function runWithPeer<R>(address: string | undefined, fn: () => R): R {
  return current.run(address, fn);
}

/** Where the request at hand came from, for the audit trail alone: an address is personal. Undefined outside requests. */
export function currentPeer(): string | undefined {
  return current.getStore();
}
