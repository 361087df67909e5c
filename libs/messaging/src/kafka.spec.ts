import { createLogger } from '@sociograph/observability';
import { Kafka, logLevel, type KafkaConfig, type LogEntry } from 'kafkajs';
import { createKafka, KAFKA_RETRY } from './kafka';
import { kafkaAnswers } from './kafka-probe';

jest.mock('kafkajs', () => ({ ...jest.requireActual<object>('kafkajs'), Kafka: jest.fn() }));

function configured(settings: Partial<Parameters<typeof createKafka>[0]> = {}): {
  config: KafkaConfig;
  lines: string[];
} {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'spec',
    instance: '0',
    level: 'trace',
    destination: { write: (line: string) => void lines.push(line) },
  });
  createKafka({ brokers: 'a:1,b:2', clientId: 'parser-service', logger, ...settings });
  const config = jest.mocked(Kafka).mock.calls.at(-1)?.[0];
  if (config === undefined) throw new Error('no client was made');
  return { config, lines };
}

describe('createKafka', () => {
  it('fails quickly and retries briefly, so that a broker that returns is found again within a second', () => {
    const { config } = configured();
    expect(config).toMatchObject({
      brokers: ['a:1', 'b:2'],
      clientId: 'parser-service',
      connectionTimeout: 3_000,
      authenticationTimeout: 5_000,
      requestTimeout: 5_000,
      retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 1_000, multiplier: 1.5, factor: 0.2 },
      logLevel: logLevel.INFO,
    });
    expect(config.retry).toBe(KAFKA_RETRY);
    expect(config).not.toHaveProperty('sasl');
    expect(config).not.toHaveProperty('socketFactory');
  });

  it('authenticates by SCRAM when a user is given, and takes brokers as a list', () => {
    const socketFactory = (): never => {
      throw new Error('not in this spec');
    };
    const { config } = configured({ brokers: ['a:1'], username: 'parser', password: 'p', socketFactory });
    expect(config.brokers).toEqual(['a:1']);
    expect(config.sasl).toEqual({ mechanism: 'scram-sha-512', username: 'parser', password: 'p' });
    expect(config.socketFactory).toBe(socketFactory);
    expect(configured({ username: 'parser' }).config.sasl).toMatchObject({ password: '' });
  });

  it('logs one level lower than kafkajs does', () => {
    const { config, lines } = configured();
    const write = config.logCreator?.(logLevel.INFO);
    const entry = (level: logLevel): LogEntry => ({
      namespace: 'Consumer',
      level,
      label: '',
      log: { message: 'text', timestamp: '', logger: 'kafkajs', stack: 'long', groupId: 'g' },
    });
    for (const level of [logLevel.ERROR, logLevel.WARN, logLevel.INFO, logLevel.DEBUG]) write?.(entry(level));
    const written = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(written.map(({ level }) => level)).toEqual(['warn', 'info', 'debug', 'debug']);
    expect(written[0]).toMatchObject({ namespace: 'Consumer', detail: 'text', groupId: 'g' });
    expect(written[0]).not.toHaveProperty('stack');
    expect(written[0]).not.toHaveProperty('logger');
  });
});

describe('kafkaAnswers', () => {
  function aCluster(connect: () => Promise<void>, describeCluster = async (): Promise<unknown> => ({})) {
    const calls: unknown[] = [];
    const admin = (options: unknown): unknown => {
      calls.push(options);
      return { connect, describeCluster, disconnect: async () => void calls.push('disconnect') };
    };
    return { kafka: { admin } as unknown as Kafka, calls };
  }

  it('is true when the cluster describes itself, after one try, and leaves no connection', async () => {
    const { kafka, calls } = aCluster(async () => undefined);
    expect(await kafkaAnswers(kafka)).toBe(true);
    expect(calls).toEqual([{ retry: { retries: 0 } }, 'disconnect']);
  });

  it('is false when it cannot be reached, says nothing, or says so late', async () => {
    const refused = aCluster(() => Promise.reject(new Error('refused')));
    expect(await kafkaAnswers(refused.kafka)).toBe(false);
    expect(refused.calls).toContain('disconnect');
    const failing = aCluster(
      async () => undefined,
      () => Promise.reject(new Error('no')),
    );
    expect(await kafkaAnswers(failing.kafka)).toBe(false);
    jest.useFakeTimers();
    let answer: boolean | undefined;
    void kafkaAnswers(aCluster(() => new Promise(() => undefined)).kafka).then((value) => (answer = value));
    await jest.advanceTimersByTimeAsync(2_999);
    expect(answer).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(answer).toBe(false);
    jest.useRealTimers();
  });
});
