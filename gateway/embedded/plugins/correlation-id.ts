import { randomUUID } from 'node:crypto';
import { object, oneOf } from '../field-rules';
import { acceptable } from './pre-function';
import type { Plugin } from './plugin';

/** Passes a request's correlation id on, makes one where there is none, and says it in every answer. */
export const correlationId: Plugin<{ header_name: string; generator: string; echo_downstream: boolean }> = {
  name: 'correlation-id',
  priority: 100_001,
  config: object({
    header_name: oneOf('X-Correlation-Id'),
    generator: oneOf('uuid'),
    echo_downstream: oneOf(true),
  }),
  access(exchange) {
    exchange.correlationId = exchange.header('x-correlation-id') ?? randomUUID();
    exchange.setHeader('X-Correlation-Id', exchange.correlationId);
    return undefined;
  },
  answer(exchange, _config, headers) {
    // Unmatched requests never reach the access phase; Kong would echo what it got, this gateway only what it accepts.
    exchange.correlationId ??= acceptable(exchange) ?? randomUUID();
    headers['X-Correlation-Id'] = exchange.correlationId;
  },
};
