import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import { z } from 'zod';
import { MESSAGES, messageOfType, TOPICS } from './index';
import { CONSUMER_GROUPS, deadLetterTopics, GRAPH_PARTITIONS } from './topics';
import { jsonSchemas } from './documents';
import { generatedFiles } from './generate';
import { defineMessage, messageType } from './message';

const root = join(__dirname, '../../..');
const examplesDir = join(__dirname, '../examples');
const types = MESSAGES.map(messageType);

describe('every message', () => {
  it('has a type of its own', () => {
    expect(new Set(types).size).toBe(types.length);
  });

  it.each(types)('%s still parses every example that was ever published', (type) => {
    const lines = readFileSync(join(examplesDir, `${type}.jsonl`), 'utf8')
      .trim()
      .split('\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const example: unknown = JSON.parse(line);
      expect(messageOfType(type)?.schema.parse(example)).toEqual(example);
    }
  });

  it.each(types)('%s accepts a field that a later version of the sender added', (type) => {
    const message = messageOfType(type)!;
    expect(message.schema.safeParse({ ...(message.example as object), addedLater: 1 }).success).toBe(true);
  });

  it('has no example without a declaration', () => {
    expect(readdirSync(examplesDir).sort()).toEqual(types.map((type) => `${type}.jsonl`).sort());
  });

  it('is refused at start when its own example does not parse', () => {
    expect(() =>
      defineMessage({
        name: 'x',
        version: 1,
        summary: '',
        schema: z.object({ a: z.number() }),
        example: { a: 'no' } as never,
      }),
    ).toThrow();
  });
});

describe('JSON Schemas', () => {
  const ajv = new Ajv2020({ strict: false });

  it.each([...jsonSchemas()])(
    'of %s accepts the example and refuses one without its fields',
    (type, schema) => {
      const validate = ajv.compile(schema);
      expect(validate(messageOfType(type)!.example)).toBe(true);
      expect(validate({})).toBe(false);
    },
  );
});

describe('topics', () => {
  it('of the graph all have the same number of partitions', () => {
    const graph = [
      TOPICS.users,
      TOPICS.friendLists,
      TOPICS.groups,
      TOPICS.posts,
      TOPICS.memberships,
      TOPICS.subscriptions,
      TOPICS.graphChanges,
    ];
    expect(graph.map((topic) => topic.partitions)).toEqual(graph.map(() => GRAPH_PARTITIONS));
  });

  it('keep state by compaction and events for days', () => {
    expect(
      Object.fromEntries(Object.values(TOPICS).map((t) => [t.name, t.config['cleanup.policy']])),
    ).toEqual({
      'sociograph.social.users.v1': 'delete',
      'sociograph.social.friend-lists.v1': 'delete',
      'sociograph.social.groups.v1': 'delete',
      'sociograph.social.posts.v1': 'delete',
      'sociograph.social.memberships.v1': 'delete',
      'sociograph.social.subscriptions.v1': 'delete',
      'sociograph.graph.suppressions.v1': 'compact',
      'sociograph.graph.changes.v1': 'compact',
      'sociograph.views.v1': 'compact',
      'sociograph.imports.v1': 'delete',
      'sociograph.keys.v1': 'delete',
      'sociograph.audit.v1': 'delete',
      'sociograph.audit.heads.v1': 'delete',
    });
    expect(TOPICS.auditHeads.config['retention.ms']).toBe('-1');
    expect(TOPICS.users.config['retention.ms']).toBe('1209600000');
    expect(TOPICS.keys.config['retention.ms']).toBe('2592000000');
  });

  it('have a dead-letter topic for each consumer group', () => {
    expect(deadLetterTopics().map((topic) => topic.name)).toContain(
      'sociograph.social.friend-lists.v1.graph-storage.dlt',
    );
    expect(deadLetterTopics()).toHaveLength(
      Object.values(CONSUMER_GROUPS).reduce((sum, { topics }) => sum + topics.length, 0),
    );
    expect(CONSUMER_GROUPS.analytics.topics.map(({ name }) => name)).toEqual([
      ...CONSUMER_GROUPS.graphStorage.topics.map(({ name }) => name),
      TOPICS.graphChanges.name,
      TOPICS.imports.name,
      TOPICS.keys.name,
    ]);
  });
});

describe('generated files', () => {
  it.each([...generatedFiles()])('%s is what the contracts say', (path, content) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(content);
  });
});
