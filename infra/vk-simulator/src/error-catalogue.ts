import { ApiError, apiErrors } from './api-error';

const authorization = (tail: string): string => `User authorization failed: ${tail}`;
const denied = (tail: string): string => `Access denied: ${tail}`;
const atRunTime = (tail: string): string => `Runtime error occurred during code invocation: ${tail}`;

/** Every error that can be planted: a code, or code:variant where one code has several recorded texts. 14 has a file of its own. */
const TEXTS: Readonly<Record<string, string>> = {
  '1': 'Unknown error occurred',
  '3': 'Unknown method passed',
  '5': authorization('invalid access_token (4).'),
  '5:expired': authorization('access_token has expired.'),
  '5:ip': authorization('access_token was given to another ip address.'),
  '5:session': authorization('invalid session.'),
  '5:blocked': authorization('user is blocked.'),
  '5:revoked': authorization('user revoke access for this token.'),
  '5:none': authorization('no access_token passed.'),
  '6': 'Too many requests per second',
  '7': 'Permission to perform this action is denied',
  '8': apiErrors.oldVersion().message,
  '9': 'Flood control',
  '9:captcha': 'Flood control: too much captcha requests',
  '10': 'Internal server error',
  '12': 'Unable to compile code',
  '13': atRunTime('response size is too big'),
  '13:array': atRunTime('Method slice requires an array'),
  '13:compare': atRunTime('Comparing values of different or unsupported types'),
  '15': denied('no access to call this method'),
  '15:plain': 'Access denied',
  '15:wall': denied('user hid his wall from accessing from outside'),
  '15:members-only': denied('this wall available only for community members'),
  '15:disabled': denied('wall is disabled'),
  '15:blocked': denied('group is blocked'),
  '15:hidden-members': denied('group hide members'),
  '15:moderator': denied('you should be group moderator'),
  '15:group': denied('no access to this group'),
  '15:deactivated': denied('user deactivated'),
  '17': 'Validation required: please open redirect_uri in browser',
  '18': 'User was deleted or banned',
  '19': 'Content blocked',
  '23': 'This method was disabled',
  '27': 'Group authorization failed: method is unavailable with group auth.',
  '28': 'Application authorization failed: method is unavailable with service token.',
  '29': 'Rate limit reached',
  '30': 'This profile is private',
  '32': 'Need wait',
  '33': 'Not implemented yet',
  '34': 'Client version deprecated',
  '35': 'Client update needed',
  '36': 'Method execution was interrupted due to timeout',
  '37': 'User was banned',
  '38': 'Unknown application',
  '39': 'Unknown user',
  '40': 'Unknown group',
  '42': 'IP is not allowed',
  '43': 'This section is temporary unavailable',
  '100': 'One of the parameters specified was missing or invalid: user_id not integer',
  '103': 'Out of limits',
  '104': 'Not found',
  '113': 'Invalid user id',
  '125': 'Invalid group id',
  '200': 'Access denied',
  '203': 'Access to group denied: access to the group is denied',
  '203:members': 'Access to group denied: access to the group members is denied',
  '210': "Access to wall's post denied",
  '212': 'Access to post comments denied',
  '260': "Access to the groups list is denied due to the user's privacy settings",
  '1114': 'Anonymous token has expired',
  '1116': 'Anonymous token is invalid',
  '1117': 'Access token has expired',
  '1118': 'Anonymous token ip mismatch',
  '3300': 'Recaptcha needed',
  '3301': 'Phone validation needed',
  '3302': 'Password validation needed',
  '3303': 'Otp app validation needed',
  '3304': 'Email confirmation needed',
  '3609': 'Token extension required',
  '3610': 'User is deactivated: invalid access_token (8).',
  '9999': 'Not supported http method',
};

const EXTRAS: Readonly<Record<string, Record<string, unknown>>> = {
  '15': { error_subcode: 1133 },
  '17': { redirect_uri: 'https://m.vk.com/login?act=security_check&api_hash=simulated' },
};

/** The error of a name like `5` or `5:expired`, or undefined. */
export function catalogued(name: string): ApiError | undefined {
  const text = Object.hasOwn(TEXTS, name) ? TEXTS[name] : undefined;
  const code = Number(name.split(':', 1)[0]);
  return text === undefined ? undefined : new ApiError(code, text, EXTRAS[name] ?? {}, code === 8);
}

export function catalogueNames(): string[] {
  return Object.keys(TEXTS).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}
