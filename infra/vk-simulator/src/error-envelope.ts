import type { ApiError } from './api-error';
import type { ApiRequest } from './request-parameters';

/** The JSON of a failed request. It repeats the request's own parameters, never the token. */
export function envelope(error: ApiError, method: string, { parameters }: ApiRequest): string {
  const own = [...parameters].map(([key, value]) => ({ key, value }));
  const added = [
    { key: 'method', value: method },
    { key: 'oauth', value: '1' },
  ];
  return JSON.stringify({
    error: {
      error_code: error.code,
      error_msg: error.message,
      ...error.extra,
      request_params: error.methodFirst ? [...added, ...own] : [...own, ...added],
    },
  });
}
