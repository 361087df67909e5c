/** An error as VK words it. HTTP status is 200 all the same. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
    /** Error 8 was recorded with `method` and `oauth` before the request's own parameters, others after them. */
    readonly methodFirst = false,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

const parameterFault = (detail: string): ApiError =>
  new ApiError(100, `One of the parameters specified was missing or invalid: ${detail}`);

export const apiErrors = {
  unknownMethod: () => new ApiError(3, 'Unknown method passed'),
  unknownProcedure: () =>
    new ApiError(
      3,
      'Unknown method passed: function not found, please check https://vk.com/editapp?id=&section=functions',
    ),
  invalidToken: () => new ApiError(5, 'User authorization failed: invalid access_token (4).'),
  noToken: () => new ApiError(5, 'User authorization failed: no access_token passed.'),
  tooManyPerSecond: () => new ApiError(6, 'Too many requests per second'),
  oldVersion: () =>
    new ApiError(
      8,
      'Invalid request: versions below 5.81 are deprecated. Version param should be passed as "v". "version" param is invalid and not supported. For more information go to https://vk.com/dev/constant_version_updates',
      true,
    ),
  doesNotCompile: (detail: string) => new ApiError(12, `Unable to compile code: ${detail}`),
  failedAtRunTime: (detail: string) =>
    new ApiError(13, `Runtime error occurred during code invocation: ${detail}`),
  listHidden: () => new ApiError(15, 'Access denied'),
  deletedOrBanned: () => new ApiError(18, 'User was deleted or banned'),
  notForCommunities: () =>
    new ApiError(27, 'Group authorization failed: method is unavailable with group auth.'),
  notForServices: () =>
    new ApiError(28, 'Application authorization failed: method is unavailable with service token.'),
  budgetSpent: () => new ApiError(29, 'Rate limit reached'),
  privateProfile: () => new ApiError(30, 'This profile is private'),
  missing: (name: string) => parameterFault(`${name} is undefined`),
  notInteger: (name: string) => parameterFault(`${name} not integer`),
  notPositive: (name: string) => parameterFault(`${name} should be positive`),
  invalidUserId: () => new ApiError(113, 'Invalid user id'),
  unsupportedHttpMethod: () => new ApiError(9999, 'Not supported http method'),
};
