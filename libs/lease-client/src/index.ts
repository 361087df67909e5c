export { LeaseClient } from './lease-client';
export type { AcquireRequest, LeaseClientOptions, PathMeasured } from './lease-client';
export type { LeaseTransport } from './lease-session';
export { LeaseWorker } from './lease-worker';
export type { LeaseWorkerOptions, NetworkAccess, SlotFate } from './lease-worker';
export type { PathSample, ProbeRequest } from './path-probe';
export { PoolClock } from './pool-clock';
export type { PoolClockOptions } from './pool-clock';
export { reportOf } from './report-of';
export type { AnswerFindings } from './report-of';
export { SenderThread } from './sender-thread';
export type { SenderThreadOptions } from './sender-thread';
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
export type { SettleResult } from './settle-queue';
export { SlotSender } from './slot-sender';
export type { SendOutcome, SendStamps, SlotCall, SlotGuard, SlotSenderOptions } from './slot-sender';
export { KeyNews, slotVerdict, voidCauseOf } from './slot-verdict';
export type { KeyChange, KeyTidings, MissCause, SlotFacts, SlotView, VoidCause } from './slot-verdict';
export type { AcquireVerdict, LeaseFacts, SendSlot, WorkerLease } from './worker-lease';
