export { isWorkspaceId } from './branded';
export type { Branded, ImportId, KeyId, WorkspaceId } from './branded';
export { Clock, SystemClock } from './clock';
export { Ids, Randomness, SystemRandomness, TimeOrderedIds } from './ids';
export { Secret } from './secret';
export { DomainError, isDomainError } from './domain-error';
export type { DomainErrorOptions, ErrorKind, FieldFault } from './domain-error';
export { compareStamps } from './stamp';
export type { ObservationStamp } from './stamp';
