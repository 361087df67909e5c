import { preFunctionText } from '../../render/pre-function-text';
import type { Exchange } from '../exchange';
import { ConfigurationFault, object } from '../field-rules';
import type { Plugin } from './plugin';

const IDENTITY_HEADERS = [
  'x-consumer-id',
  'x-consumer-username',
  'x-consumer-custom-id',
  'x-credential-identifier',
  'x-anonymous-consumer',
  'x-consumer-groups',
  'x-authenticated-groups',
];

/** Runs no Lua: it knows one text and does what that text does. */
export const preFunction: Plugin<{ access: true }> = {
  name: 'pre-function',
  priority: 1_000_000,
  config: object({
    access: (value, where) => {
      if (!Array.isArray(value) || value.length !== 1 || value[0] !== preFunctionText) {
        throw new ConfigurationFault(
          `${where} must hold exactly the text of gateway/render/pre-function-text.ts.`,
        );
      }
      return true as const;
    },
  }),
  access(exchange) {
    for (const name of IDENTITY_HEADERS) exchange.clearHeader(name);
    exchange.setHeader('X-Rate-Key', rateKey(exchange.received('authorization') ?? ''));
    const correlation = acceptable(exchange);
    if (correlation === undefined) exchange.clearHeader('X-Correlation-Id');
    else exchange.setHeader('X-Correlation-Id', correlation);
    return undefined;
  },
};

/** The client's correlation id where it may be passed on. */
export function acceptable(exchange: Exchange): string | undefined {
  const given = exchange.received('x-correlation-id');
  return given !== undefined && /^[A-Za-z0-9_.-]{1,64}$/.test(given) ? given : undefined;
}

function rateKey(authorization: string): string {
  const payload = /[Bb]earer\s+[^.]+\.([^.]+)/.exec(authorization)?.[1];
  if (payload === undefined || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(payload)) return 'none';
  const claims = Buffer.from(payload, 'base64url').toString('latin1');
  return /"sub"\s*:\s*"([A-Za-z0-9_.:-]+)"/.exec(claims)?.[1] ?? 'none';
}
