export { markOf, readSuppressionKey } from './mark';
export { Suppressions } from './suppressions';
export type { Mark } from './suppressions';
export { followSuppressions } from './follow-suppressions';
export type { FollowedSuppressions, FollowOptions } from './follow-suppressions';
