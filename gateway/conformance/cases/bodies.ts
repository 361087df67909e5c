import { bearer } from '../document';
import type { Fact } from '../facts';
import type { ConformanceCase, Expectation } from '../run-case';
import { kong, MEGABYTE, passed, short } from './expected';

const tooLarge: Expectation = {
  status: 413,
  body: kong('Request size limit exceeded'),
  attempts: 0,
  headers: short,
};
const post = (
  fact: Fact,
  name: string,
  bytes: number,
  expect: Expectation,
  more: Record<string, string> = {},
): ConformanceCase => ({
  fact,
  name,
  ask: () => ({ path: '/me', method: 'POST', headers: { ...bearer(), ...more }, body: Buffer.alloc(bytes) }),
  expect,
});
const chunked = { 'transfer-encoding': 'chunked' };

export const bodies: readonly ConformanceCase[] = [
  post('2.5.exact', 'exactly 1 MB', MEGABYTE, passed),
  post('1.errors.413', 'one byte above 1 MB', MEGABYTE + 1, tooLarge),
  post('1.size.units', 'chunked, exactly 1 MB', MEGABYTE, passed, chunked),
  post('2.5.chunked', 'chunked, one byte above', MEGABYTE + 1, tooLarge, chunked),
  {
    ...post(
      '2.5.expect',
      'too large with Expect: 100-continue',
      MEGABYTE + 1,
      { ...tooLarge, status: 417 },
      {
        expect: '100-continue',
      },
    ),
    deviation: {
      reason: '417 makes clients send the same body again without the header; 413 says what is wrong',
      expect: tooLarge,
    },
  },
  {
    fact: '2.5.length',
    name: 'the connection goes on after a body that is too large',
    ask: () => ({
      raw: `POST /sized-first HTTP/1.1\r\nHost: x\r\nContent-Length: ${MEGABYTE + 1}\r\n\r\n${'x'.repeat(MEGABYTE + 1)}GET /pub HTTP/1.1\r\nHost: x\r\n\r\n`,
      answers: 2,
    }),
    expect: { status: 200, attempts: 1 },
  },
  {
    fact: '1.plugins.order',
    name: 'a token is asked for before the body is measured, and both after id and origin',
    ask: () => ({
      path: '/me',
      method: 'POST',
      headers: { origin: 'https://a.example', 'x-correlation-id': 'mine' },
      body: Buffer.alloc(MEGABYTE + 1),
    }),
    expect: {
      status: 401,
      attempts: 0,
      headers: { 'x-correlation-id': 'mine', 'access-control-allow-origin': 'https://a.example' },
    },
  },
  {
    fact: '1.plugins.order',
    name: 'what is too large counts for no limit of three a minute',
    ask: () => ({ path: '/sized-first', method: 'POST', body: Buffer.alloc(MEGABYTE + 1) }),
    expect: { ...tooLarge, headers: { ...short, 'ratelimit-limit': null } },
  },
  {
    fact: '2.5.exact',
    name: 'a body without request buffering',
    ask: () => ({ method: 'POST', path: '/upload', body: 'x'.repeat(100_000) }),
    expect: { status: 200, attempts: 1, upstream: { headers: { 'content-length': '100000' } } },
  },
];
