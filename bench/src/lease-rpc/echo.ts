import { LEASE_QUEUE } from '@sociograph/contracts';
import { RpcServer } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';

/** Bytes of an answer that grants one call. */
const ANSWER_BYTES = 900;

/**
 * The same queue, transport and size of answer, with nothing behind them: what broker, client and machine take by
 * themselves. A process of its own, held to key-service's core; the broker's address comes as its argument.
 */
void (async () => {
  const answer = Buffer.alloc(ANSWER_BYTES, '.');
  const logger = createLogger({ service: 'bench', instance: 'echo', level: 'warn' });
  const url = process.argv[2] ?? '';
  const server = new RpcServer({ url, queue: LEASE_QUEUE, logger, handle: () => answer });
  process.on('disconnect', () => process.exit(0));
  await server.listening();
  process.send?.('listening');
})();
