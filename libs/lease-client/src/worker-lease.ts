import type { Secret } from '@sociograph/kernel';

/** The part of a lease that decides whether its slots may still be used. Times are on the pool's clock (ms). */
export interface LeaseFacts {
  readonly keyId: string;
  readonly grantedAt: number;
  readonly expiresAt: number;
  /** Generation of the clock mapping under which the slots were taken. */
  readonly generation: number;
  /** Wall clock minus monotonic clock when the lease came in: a machine that slept since has another. */
  readonly wallAhead: number;
}

/** One moment in which one request may leave: in [notBefore, notAfter] of the pool's clock (ms). */
export interface SendSlot {
  readonly index: number;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly lease: WorkerLease;
}

/** A granted lease as the worker holds it. The token leaves `token` only where the request is written. */
export interface WorkerLease extends LeaseFacts {
  readonly leaseId: string;
  readonly fence: number;
  readonly keyVersion: number;
  readonly token: Secret;
  readonly workspaceId: string;
  readonly network: string;
  readonly importId: string;
  readonly methods: Readonly<Record<string, number>>;
  readonly slots: readonly SendSlot[];
  readonly why: string | undefined;
}

export type AcquireVerdict =
  | { kind: 'granted'; lease: WorkerLease }
  | { kind: 'denied'; reason: string; /** Pool clock, ms. */ retryAt: number };
