export interface ChaosWorkerSettings {
  instance: number;
  baseUrl: string;
  rabbitUrl: string;
  identityKeyPem: string;
  workspaceId: string;
  /** Loops that lease and call. */
  lanes: number;
  method: string;
  /** Appended to, one JSON line per lease: what a killed process saw stays. */
  recordsFile: string;
}

export const SETTINGS_VARIABLE = 'CHAOS_WORKER';

/** What became of one lease. Times are the machine's monotonic milliseconds, by this process's own stamps. */
export interface LeaseRecord {
  worker: number;
  keyId: string;
  grantedAt: number;
  /** The check in the tick of the write, and the stamp after it; absent: nothing was sent. */
  checkedAt?: number;
  sentAt?: number;
  /** `notAfter` of the slot. */
  endedAt?: number;
  answeredAt?: number;
  /** `sent`, the code of an error answer, or why there was no answer or no send. */
  result: string;
  /** Frozen between the check and the wire, by the stamps above. */
  late?: boolean;
}
