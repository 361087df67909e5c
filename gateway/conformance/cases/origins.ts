import type { ConformanceCase } from '../run-case';

const preflight = (origin: string, more: Record<string, string> = {}) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'GET', ...more },
});

export const origins: readonly ConformanceCase[] = [
  {
    fact: '1.cors.preflight',
    name: 'a preflight needs no token',
    ask: () => ({
      path: '/me',
      ...preflight('https://b.example', { 'access-control-request-headers': 'authorization' }),
    }),
    expect: {
      status: 200,
      body: '',
      attempts: 0,
      headers: {
        'access-control-allow-origin': 'https://b.example',
        'access-control-allow-headers': 'authorization',
        'access-control-max-age': '600',
        'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT',
      },
    },
  },
  {
    fact: '1.cors.vary',
    name: 'answers differ by origin, and say so',
    ask: () => ({ path: '/pub', headers: { origin: 'https://b.example' } }),
    expect: { status: 200, headers: { vary: 'Origin', 'access-control-allow-origin': 'https://b.example' } },
  },
  {
    fact: '1.cors.unlisted',
    name: 'a preflight of an unlisted origin is 200 without Allow-Origin',
    ask: () => ({ path: '/me', ...preflight('https://c.example') }),
    expect: { status: 200, attempts: 0, headers: { 'access-control-allow-origin': null } },
  },
  {
    fact: '1.cors.unlisted',
    name: 'a request of an unlisted origin passes without Allow-Origin',
    ask: () => ({ path: '/pub', headers: { origin: 'https://c.example' } }),
    expect: { status: 200, attempts: 1, headers: { 'access-control-allow-origin': null } },
  },
  {
    fact: '1.cors.errors',
    name: 'a 401 has its headers',
    ask: () => ({ path: '/me', headers: { origin: 'https://a.example' } }),
    expect: { status: 401, headers: { 'access-control-allow-origin': 'https://a.example' } },
  },
  {
    fact: '1.plugins.unmatched',
    name: 'a 404 has the headers of cors and the correlation id',
    ask: () => ({ path: '/none', headers: { origin: 'https://a.example', 'x-correlation-id': 'mine' } }),
    expect: {
      status: 404,
      headers: { 'access-control-allow-origin': 'https://a.example', 'x-correlation-id': 'mine' },
    },
  },
  {
    fact: '1.plugins.scope',
    name: 'the cors of a route replaces the global one, its max_age too',
    ask: () => ({ path: '/one-origin', ...preflight('https://a.example') }),
    expect: {
      status: 200,
      attempts: 0,
      headers: { 'access-control-allow-origin': 'https://one.example', 'access-control-max-age': null },
    },
  },
  ...['https://a.example', undefined].map((origin): ConformanceCase => ({
    fact: '2.9.one-origin',
    name: `one origin is always the allowed one, for ${origin ?? 'no origin'}`,
    ask: () => ({ path: '/one-origin', headers: origin === undefined ? {} : { origin } }),
    expect: { status: 200, headers: { 'access-control-allow-origin': 'https://one.example' } },
  })),
];
