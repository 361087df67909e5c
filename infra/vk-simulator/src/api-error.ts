/** An error as VK words it. HTTP status is 200 all the same. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
    /** What the error object has besides: `redirect_uri`, `captcha_sid`, `error_subcode` ... */
    readonly extra: Readonly<Record<string, unknown>> = {},
    /** Error 8 was recorded with `method` and `oauth` before the request's own parameters, others after them. */
    readonly methodFirst = false,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A refusal by a daily budget: 29, or 14 in the first stage of an undisclosed one. */
export class OverBudget extends ApiError {}

/** The request gets no answer at all: the last stage of an undisclosed budget. */
export class Silence extends Error {}

/** The whole `execute` ends with this error, whatever its script would have done with a failed call. */
export class ExecuteStopped extends Error {
  constructor(readonly error: ApiError) {
    super(error.message);
  }
}

const parameterFault = (detail: string): ApiError =>
  new ApiError(100, `One of the parameters specified was missing or invalid: ${detail}`);
const denied = (detail: string): ApiError => new ApiError(15, `Access denied: ${detail}`);

export const apiErrors = {
  unknownMethod: () => new ApiError(3, 'Unknown method passed'),
  unknownProcedure: () =>
    new ApiError(
      3,
      'Unknown method passed: function not found, please check https://vk.com/editapp?id=&section=functions',
    ),
  invalidToken: () => new ApiError(5, 'User authorization failed: invalid access_token (4).'),
  noToken: () => new ApiError(5, 'User authorization failed: no access_token passed.'),
  tokenExpired: () => new ApiError(5, 'User authorization failed: access_token has expired.'),
  tooManyPerSecond: () => new ApiError(6, 'Too many requests per second'),
  oldVersion: () =>
    new ApiError(
      8,
      'Invalid request: versions below 5.81 are deprecated. Version param should be passed as "v". "version" param is invalid and not supported. For more information go to https://vk.com/dev/constant_version_updates',
      {},
      true,
    ),
  tooManyCaptchas: () => new ApiError(9, 'Flood control: too much captcha requests'),
  doesNotCompile: (detail: string) => new ApiError(12, `Unable to compile code: ${detail}`),
  failedAtRunTime: (detail: string) =>
    new ApiError(13, `Runtime error occurred during code invocation: ${detail}`),
  listHidden: () => new ApiError(15, 'Access denied'),
  wallHidden: () => denied('user hid his wall from accessing from outside'),
  wallForMembers: () => denied('this wall available only for community members'),
  wallDisabled: () => denied('wall is disabled'),
  groupBlocked: () => denied('group is blocked'),
  membersHidden: () => denied('group hide members'),
  needsModerator: () => denied('you should be group moderator'),
  deletedOrBanned: () => new ApiError(18, 'User was deleted or banned'),
  contentBlocked: () => new ApiError(19, 'Content blocked'),
  notForCommunities: () =>
    new ApiError(27, 'Group authorization failed: method is unavailable with group auth.'),
  notForServices: () =>
    new ApiError(28, 'Application authorization failed: method is unavailable with service token.'),
  budgetSpent: () => new OverBudget(29, 'Rate limit reached'),
  privateProfile: () => new ApiError(30, 'This profile is private'),
  timedOut: () => new ApiError(36, 'Method execution was interrupted due to timeout'),
  missing: (name: string) => parameterFault(`${name} is undefined`),
  notInteger: (name: string) => parameterFault(`${name} not integer`),
  notPositive: (name: string) => parameterFault(`${name} should be positive`),
  /** The tail is not recorded (assumption). */
  invalid: (name: string) => parameterFault(`${name} is invalid`),
  invalidUserId: () => new ApiError(113, 'Invalid user id'),
  invalidGroupId: () => new ApiError(125, 'Invalid group id'),
  groupClosed: () => new ApiError(203, 'Access to group denied: access to the group is denied'),
  membersClosed: () => new ApiError(203, 'Access to group denied: access to the group members is denied'),
  groupsHidden: () =>
    new ApiError(260, "Access to the groups list is denied due to the user's privacy settings"),
  unsupportedHttpMethod: () => new ApiError(9999, 'Not supported http method'),
};
