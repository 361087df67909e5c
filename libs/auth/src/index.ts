export { Admission } from './admission';
export { AuthModule } from './auth.module';
export type { AuthOptions } from './auth.module';
export { CurrentPrincipal, CurrentToken, Public, Roles } from './access';
export { isRole, principalOf } from './principal';
export type { Principal, Role } from './principal';
export { NoRevocations, Revocations } from './revocations';
export { followRevocations, FollowedRevocations, openPoolRedis } from './follow-revocations';
export { appendRevocation, readRevocations, REVOCATION_STREAM, REVOCATIONS_KEPT_MS } from './revocation-log';
export type { Revocation } from './revocation-log';
export {
  DefaultLimits,
  LIMITS_HASH,
  publishUse,
  QUOTAS,
  RedisLimits,
  useHash,
  workspaceLimits,
  WorkspaceLimits,
} from './workspace-limits';
export type { Quota, QuotaUse } from './workspace-limits';
export { streamPlaces, StreamPlaces, streamsKey } from './stream-places';
export type { Leave, TakePlace } from './stream-places';
export { TokenGuard } from './token-guard';
export { watchToken } from './token-life';
export type { EndOfToken, TokenLife } from './token-life';
export { TokenVerifier } from './token-verifier';
export type { TokenRules, VerifiedToken } from './token-verifier';
export { KeySet } from './key-set';
