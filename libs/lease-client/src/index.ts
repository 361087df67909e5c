export { LeaseClient } from './lease-client';
export type { AcquireRequest, LeaseClientOptions, LeaseTransport, SettleResult } from './lease-client';
export { PoolClock } from './pool-clock';
export type { PoolClockOptions } from './pool-clock';
export {
  deriveKeys,
  frameMac,
  helloIsGenuine,
  macIsRight,
  newKeyShare,
  openToken,
  sealToken,
  signHello,
  tokenAad,
} from './session-crypto';
export type { Agreement, KeyShare, SessionKeys } from './session-crypto';
export { SlotSender } from './slot-sender';
export type { MissCause, SendOutcome, SlotCall, SlotGuard, SlotSenderOptions } from './slot-sender';
export type { AcquireVerdict, SendSlot, VoidCause, WorkerLease } from './worker-lease';
