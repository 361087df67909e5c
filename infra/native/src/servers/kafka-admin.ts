import { readFileSync } from 'node:fs';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type AclEntry,
  type Admin,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';

export interface KafkaConnection {
  readonly brokers: string[];
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Rights of one account: topics are whole names, or prefixes when they end in `*`; groups always are prefixes. */
export interface AccountRights {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Topics whose offsets may be asked for without reading them. */
  readonly describe?: readonly string[];
  readonly groups: readonly string[];
}

/** True when the broker answers with metadata to the admin account. */
export async function reachable(connection: KafkaConnection): Promise<boolean> {
  try {
    return await withAdmin(
      connection,
      async (admin) => (await admin.describeCluster()).brokers.length > 0,
      0,
    );
  } catch {
    return false;
  }
}

/**
 * Creates the topics that are missing, and gives those that are there the configuration of the file where it differs.
 * Partitions of an existing topic are left alone: more would move its keys. Answers a sentence for each change of an
 * existing topic.
 */
export async function ensureTopics(connection: KafkaConnection, file: string): Promise<string[]> {
  const wanted = JSON.parse(readFileSync(file, 'utf8')) as TopicSpec[];
  return withAdmin(connection, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = wanted.filter((topic) => !existing.has(topic.name));
    if (missing.length > 0)
      await admin.createTopics({
        waitForLeaders: true,
        timeout: 20_000,
        topics: missing.map((topic) => ({
          topic: topic.name,
          numPartitions: topic.partitions,
          configEntries: entriesOf(topic.config),
        })),
      });
    return mendTopics(
      admin,
      wanted.filter((topic) => existing.has(topic.name)),
    );
  });
}

/** Whole configurations are given: kafkajs knows no change of a single entry. */
async function mendTopics(admin: Admin, topics: readonly TopicSpec[]): Promise<string[]> {
  if (topics.length === 0) return [];
  const type = ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name, config }) => ({ type, name, configNames: Object.keys(config) })),
  });
  const changes = topics.map((topic) => {
    const found = resources.find(({ resourceName }) => resourceName === topic.name)?.configEntries ?? [];
    const is = new Map(found.map(({ configName, configValue }) => [configName, configValue]));
    const differing = Object.entries(topic.config).filter(([name, value]) => is.get(name) !== value);
    const lines = differing.map(([name, value]) => `${topic.name}: ${name} ${is.get(name)} -> ${value}`);
    return { topic, lines };
  });
  const differing = changes.filter(({ lines }) => lines.length > 0);
  if (differing.length > 0)
    await admin.alterConfigs({
      validateOnly: false,
      resources: differing.map(({ topic: { name, config } }) => ({
        type,
        name,
        configEntries: entriesOf(config),
      })),
    });
  return differing.flatMap(({ lines }) => lines);
}

function entriesOf(config: TopicSpec['config']): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value }));
}

export async function ensureAccess(connection: KafkaConnection, file: string): Promise<void> {
  const rights = JSON.parse(readFileSync(file, 'utf8')) as Record<string, AccountRights>;
  const acl = Object.entries(rights).flatMap(([account, right]) => accessEntries(account, right));
  await withAdmin(connection, (admin) => admin.createAcls({ acl }));
}

/** Access list of one account. Describing offsets and configuration comes with reading; nobody may create or delete. */
export function accessEntries(account: string, rights: AccountRights): AclEntry[] {
  const entry = (
    resourceType: AclResourceTypes,
    pattern: string,
    operation: AclOperationTypes,
  ): AclEntry => ({
    resourceType,
    resourceName: pattern.replace(/(?<=.)\*$/, ''),
    resourcePatternType:
      pattern !== '*' && pattern.endsWith('*') ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    principal: `User:${account}`,
    host: '*',
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  });
  const reading = rights.read.flatMap((topic) =>
    [AclOperationTypes.READ, AclOperationTypes.DESCRIBE, AclOperationTypes.DESCRIBE_CONFIGS].map(
      (operation) => entry(AclResourceTypes.TOPIC, topic, operation),
    ),
  );
  const writing = rights.write.flatMap((topic) =>
    [AclOperationTypes.WRITE, AclOperationTypes.DESCRIBE].map((operation) =>
      entry(AclResourceTypes.TOPIC, topic, operation),
    ),
  );
  const groups = rights.groups.flatMap((group) =>
    [AclOperationTypes.READ, AclOperationTypes.DESCRIBE, AclOperationTypes.DELETE].map((operation) =>
      entry(AclResourceTypes.GROUP, `${group}*`, operation),
    ),
  );
  const describing = (rights.describe ?? []).map((topic) =>
    entry(AclResourceTypes.TOPIC, topic, AclOperationTypes.DESCRIBE),
  );
  return [...reading, ...writing, ...describing, ...groups];
}

async function withAdmin<R>(
  connection: KafkaConnection,
  use: (admin: Admin) => Promise<R>,
  retries = 8,
): Promise<R> {
  const { credentials } = connection;
  const kafka = new Kafka({
    clientId: 'sociograph-native',
    brokers: connection.brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    retry: { retries, initialRetryTime: 200 },
    ...(credentials === undefined ? {} : { sasl: { mechanism: 'scram-sha-512', ...credentials } }),
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
