import type { Expectation } from '../run-case';

export const MEGABYTE = 1024 * 1024;
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The body of Kong's templates. */
export const kong = (message: string): RegExp =>
  new RegExp(`^\\{\\n  "message":"${message}",\\n  "request_id":"[0-9a-f]{32}"\\n\\}$`);

const own = { server: 'kong/3.9.3', 'x-kong-request-id': /^[0-9a-f]{32}$/, 'x-correlation-id': UUID };
/** Headers of an answer that the gateway makes itself. */
export const short = {
  ...own,
  'x-kong-response-latency': /^\d+$/,
  'x-kong-upstream-latency': null,
  via: null,
};
/** Headers of an error after a target was chosen. */
export const tried = {
  ...own,
  via: '1.1 kong/3.9.3',
  'x-kong-upstream-latency': /^\d+$/,
  'x-kong-response-latency': null,
};

export const passed: Expectation = {
  status: 200,
  body: 'ok',
  attempts: 1,
  headers: {
    'x-from': 'upstream',
    server: 'kong/3.9.3',
    via: '1.1 kong/3.9.3',
    'x-kong-request-id': /^[0-9a-f]{32}$/,
    'x-kong-upstream-latency': /^\d+$/,
    'x-kong-proxy-latency': /^\d+$/,
    'x-kong-response-latency': null,
  },
};
