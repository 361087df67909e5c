import type { Logger } from '@sociograph/observability';
import { Kafka, logLevel, type ISocketFactory, type LogEntry } from 'kafkajs';

export interface KafkaSettings {
  /** `host:port`, one or several; a comma list is accepted too. */
  brokers: string | readonly string[];
  /** SASL/SCRAM-SHA-512 when given; without it plaintext and no authentication. */
  username?: string | undefined;
  password?: string | undefined;
  /** Name of this process in the broker's logs and quotas. */
  clientId: string;
  logger: Logger;
  /** Opens the sockets; specs lead them through a proxy. */
  socketFactory?: ISocketFactory;
}

/**
 * Retries of kafkajs: short and few, so that a broker that returns is found again within a second or two and
 * one that does not is reported instead of being waited for in silence (its own maximum wait is 30 s).
 */
export const KAFKA_RETRY = {
  retries: 8,
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  multiplier: 1.5,
  factor: 0.2,
};

/** A client of the cluster; connections are opened by the producers, consumers and admins made from it. */
export function createKafka(settings: KafkaSettings): Kafka {
  const { username, password, logger } = settings;
  const brokers = typeof settings.brokers === 'string' ? settings.brokers.split(',') : [...settings.brokers];
  return new Kafka({
    brokers,
    clientId: settings.clientId,
    ...(username === undefined
      ? {}
      : { sasl: { mechanism: 'scram-sha-512', username, password: password ?? '' } }),
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    // A request on a connection that swallows everything must fail; joins get their own, longer limit.
    requestTimeout: 5_000,
    retry: KAFKA_RETRY,
    ...(settings.socketFactory === undefined ? {} : { socketFactory: settings.socketFactory }),
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => writeLog(logger, entry),
  });
}

/** One level lower than kafkajs thinks: it reports every repeated attempt as an error. */
function writeLog(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _name, stack: _stack, ...fields } = log;
  const entry = { ...fields, namespace, detail: message };
  if (level === logLevel.ERROR) logger.warn(entry, 'kafkajs reports an error');
  else if (level === logLevel.WARN) logger.info(entry, 'kafkajs warns');
  else logger.debug(entry, 'kafkajs notes');
}
