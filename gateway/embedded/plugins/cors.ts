import type { Exchange } from '../exchange';
import { ConfigurationFault, flag, integer, list, object, optional, otherwise, text } from '../field-rules';
import type { Plugin } from './plugin';

interface CorsConfig {
  origins: string[];
  methods: string[];
  headers: string[];
  exposed_headers: string[];
  credentials: boolean;
  max_age: number | undefined;
}

const ALL_METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

/** Answers preflights itself, before jwt; other answers get their CORS headers. Origins are plain, never patterns. */
export const cors: Plugin<CorsConfig> = {
  name: 'cors',
  priority: 2000,
  config: object({
    origins: list((value, where) => {
      const origin = text(value, where);
      if (!/^[A-Za-z0-9.:/-]+$/.test(origin))
        throw new ConfigurationFault(`${where} must be a plain origin.`);
      return origin;
    }),
    methods: (value, where) => (value === undefined ? ALL_METHODS : list(text)(value, where)),
    headers: list(text),
    exposed_headers: list(text),
    credentials: otherwise(flag, false),
    max_age: optional(integer(0, 86_400)),
  }),
  access(exchange, config) {
    const asked = exchange.received('access-control-request-method');
    if (exchange.method !== 'OPTIONS' || exchange.received('origin') === undefined || asked === undefined)
      return undefined;
    exchange.preflight = true;
    const headers: Record<string, string> = {};
    allowOrigin(exchange, config, headers);
    const requested = exchange.received('access-control-request-headers');
    const allowed = config.headers.length > 0 ? config.headers.join(',') : requested;
    if (allowed !== undefined) headers['Access-Control-Allow-Headers'] = allowed;
    if (config.max_age !== undefined) headers['Access-Control-Max-Age'] = String(config.max_age);
    headers['Access-Control-Allow-Methods'] = config.methods.join(',');
    return { status: 200, headers };
  },
  answer(exchange, config, headers) {
    if (exchange.preflight) return;
    allowOrigin(exchange, config, headers);
    if (config.exposed_headers.length > 0)
      headers['Access-Control-Expose-Headers'] = config.exposed_headers.join(',');
  },
};

function allowOrigin(exchange: Exchange, config: CorsConfig, headers: Record<string, string>): void {
  headers['Vary'] = 'Origin';
  if (config.origins.length === 0) {
    headers['Access-Control-Allow-Origin'] = '*';
    return;
  }
  const origin = exchange.received('origin');
  if (config.origins.length === 1) headers['Access-Control-Allow-Origin'] = config.origins[0] as string;
  else if (origin !== undefined && config.origins.includes(origin))
    headers['Access-Control-Allow-Origin'] = origin;
  if (config.credentials) headers['Access-Control-Allow-Credentials'] = 'true';
}
