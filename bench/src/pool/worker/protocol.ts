import type { SystemName } from '../systems';

export interface BenchKey {
  name: string;
  token: string;
  perSecond: number;
}

/** What a worker process is told first. */
export interface WorkerSettings {
  system: SystemName;
  instance: number;
  workers: number;
  /** `http://host:port/method`. */
  baseUrl: string;
  redisUrl: string;
  keys: readonly BenchKey[];
  /** Spread of the network's delay: what hand-tuned contenders are told, and nobody else. */
  jitterMs: number;
  windowMs: number;
  /** How long the round may last (ms): a contender that needs its work beforehand makes that much. */
  longestMs: number;
  pool?: { rabbitUrl: string; identityKeyPem: string; workspaceId: string };
}

export type ToWorker =
  { kind: 'prepare'; settings: WorkerSettings } | { kind: 'go' } | { kind: 'measure' } | { kind: 'stop' };

/** The margin in force (ms), `at` seconds after the first call. */
export interface MarginReading {
  at: number;
  ms: number;
}

export interface WorkerReport {
  /** From asking for permission to having it (ms), since `measure`; empty where the contender does not say. */
  leaseMs: number[];
  leases: number;
  answered: number;
  refused: number;
  /** Errors of the provider other than 6, by code; calls that broke; slots not used, by cause; denials, by reason. */
  errors: Record<string, number>;
  broken: Record<string, number>;
  lost: Record<string, number>;
  denied: Record<string, number>;
  /** How late requests left after the moment given for them (ms), since `measure`; only a pool gives such moments. */
  lateMs: number[];
  /** How far ahead of its slot a lease was granted (ms), since `measure`. */
  aheadMs: number[];
  margins: MarginReading[];
}

export type FromWorker =
  { kind: 'ready' } | { kind: 'report'; report: WorkerReport } | { kind: 'failed'; why: string };
