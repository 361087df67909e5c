import { integer, object, oneOf, otherwise } from '../field-rules';
import type { Exit } from '../exchange';
import type { Plugin } from './plugin';

/** Beyond this many times the limit a chunked body is no longer read to its end: the connection is closed. */
const MOST_DISCARDED = 4;

/** Bodies above the limit never reach the upstream. Exactly the limit passes. */
export const requestSizeLimiting: Plugin<{ allowed_payload_size: number; size_unit: 'megabytes' }> = {
  name: 'request-size-limiting',
  priority: 951,
  config: object({
    allowed_payload_size: integer(1, 1024),
    size_unit: otherwise(oneOf('megabytes'), 'megabytes'),
  }),
  async access(exchange, config) {
    const limit = config.allowed_payload_size * 1024 * 1024;
    const length = exchange.received('content-length');
    if (length !== undefined) return Number(length) > limit ? tooLarge() : undefined;
    if (exchange.received('transfer-encoding') === undefined) return undefined;
    // Like Kong: a chunked body is read whole before the verdict.
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of exchange.request) {
      size += (chunk as Buffer).length;
      if (size <= limit) chunks.push(chunk as Buffer);
      else chunks.length = 0;
      if (size > MOST_DISCARDED * limit) return { ...tooLarge(), headers: { Connection: 'close' } };
    }
    if (size > limit) return tooLarge();
    exchange.body = chunks;
    return undefined;
  },
};

function tooLarge(): Exit {
  // Kong answers 417 to `Expect: 100-continue`; that makes clients send the same body again. A deliberate difference.
  return { status: 413, message: 'Request size limit exceeded' };
}
