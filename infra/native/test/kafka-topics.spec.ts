import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, testServers } from '@sociograph/testing';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { ensureTopics } from '../src/servers/kafka-admin';

jest.setTimeout(120_000);

describe('the topics of the file', () => {
  const servers = testServers();
  const { adminKafkaUsername: username, adminKafkaPassword: password } = servers;
  const credentials = username === undefined || password === undefined ? undefined : { username, password };
  const connection = { brokers: servers.kafkaBrokers, credentials };
  const admin = new Kafka({
    brokers: servers.kafkaBrokers,
    logLevel: logLevel.NOTHING,
    ...(credentials !== undefined && { sasl: { mechanism: 'scram-sha-512', ...credentials } }),
  }).admin();
  const name = `spec.topics.${randomBytes(5).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'topics-'));
  const file = join(folder, 'topics.json');
  const SLOW = { timeoutMs: 20_000, everyMs: 200 };

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
    await eventually(
      async () => expect(await ensure(wanted)).toEqual([`${name}: cleanup.policy delete -> compact`]),
      SLOW,
    );
    await eventually(async () => expect(await policy()).toBe('compact'), SLOW);
    expect(await ensure(wanted)).toEqual([]);
  });
});
