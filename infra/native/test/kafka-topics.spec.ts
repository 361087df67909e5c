import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { ensureTopics } from '../src/servers/kafka-admin';

jest.setTimeout(120_000);

describe('the topics of the file', () => {
  const {
    KAFKA_BROKERS: brokers = '',
    ADMIN_KAFKA_USERNAME: username,
    ADMIN_KAFKA_PASSWORD: password,
  } = process.env;
  const credentials = username === undefined || password === undefined ? undefined : { username, password };
  const connection = { brokers: brokers.split(','), credentials };
  const admin = new Kafka({
    brokers: connection.brokers,
    logLevel: logLevel.NOTHING,
    ...(credentials !== undefined && { sasl: { mechanism: 'scram-sha-512', ...credentials } }),
  }).admin();
  const name = `spec.topics.${randomBytes(5).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'topics-'));
  const file = join(folder, 'topics.json');

  beforeAll(() => admin.connect());
  afterAll(async () => {
    await admin.deleteTopics({ topics: [name] });
    await admin.disconnect();
    rmSync(folder, { recursive: true, force: true });
  });

  const ensure = (config: Record<string, string>): Promise<string[]> => {
    writeFileSync(file, JSON.stringify([{ name, partitions: 1, config }]));
    return ensureTopics(connection, file);
  };
  const policy = async (): Promise<string | undefined> => {
    const type = ConfigResourceTypes.TOPIC;
    const found = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] });
    const entries = found.resources[0]?.configEntries ?? [];
    return entries.find(({ configName }) => configName === 'cleanup.policy')?.configValue;
  };

  it('are made, and given the configuration of the file when it is another; a repeat changes nothing', async () => {
    expect(await ensure({ 'cleanup.policy': 'delete', 'retention.ms': '60000' })).toEqual([]);
    const wanted = { 'cleanup.policy': 'compact', 'retention.ms': '60000' };
    // A new topic is not known everywhere at once.
    expect(
      await first(
        () => ensure(wanted),
        (changes) => changes.length > 0,
      ),
    ).toEqual([`${name}: cleanup.policy delete -> compact`]);
    expect(await first(policy, (found) => found === 'compact')).toBe('compact');
    expect(await ensure(wanted)).toEqual([]);
  });
});

/** The first answer that will do, or the last one before a deadline. */
async function first<T>(ask: () => Promise<T>, willDo: (answer: T) => boolean): Promise<T> {
  const until = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (willDo(answer) || performance.now() > until) return answer;
    await pause(200);
  }
}
