import { inputMarked, personSuppressed, vertexChanged, viewApplied } from './graph-messages';
import type { MessageDefinition } from './message';
import { actionAudited, auditSealed, importChanged, keyChanged, keyUsed } from './platform-messages';
import {
  friendListObserved,
  groupObserved,
  membershipListClosed,
  membershipPageObserved,
  postObserved,
  subscriptionListObserved,
  userObserved,
} from './social-messages';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Partitions of every social and graph topic. They are the same everywhere, with one partitioner, so that
 * partition p of one topic is derived from partition p of another. More can never be added without moving keys.
 */
export const GRAPH_PARTITIONS = 6;

export interface TopicDefinition {
  readonly name: string;
  readonly key: string;
  readonly summary: string;
  readonly messages: readonly MessageDefinition[];
  readonly partitions: number;
  /** Kafka topic configuration; values are strings as Kafka wants them. */
  readonly config: Readonly<Record<string, string>>;
}

const kept = (days: number): Record<string, string> => ({
  'cleanup.policy': 'delete',
  'retention.ms': String(days * DAY_MS),
  'max.message.bytes': '1048576',
});

const compacted: Record<string, string> = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.1',
  'max.compaction.lag.ms': String(DAY_MS),
  'delete.retention.ms': String(DAY_MS),
  'max.message.bytes': '1048576',
};

function topic(definition: TopicDefinition): TopicDefinition {
  return Object.freeze(definition);
}

/** Every Kafka topic of the platform (DESIGN 2). infra/kafka/topics.json is generated from this. */
export const TOPICS = {
  users: topic({
    name: 'sociograph.social.users.v1',
    key: 'workspace:network:user:id',
    summary: 'Snapshots of people',
    messages: [userObserved],
    partitions: GRAPH_PARTITIONS,
    config: kept(14),
  }),
  friendLists: topic({
    name: 'sociograph.social.friend-lists.v1',
    key: 'workspace:network:user:id',
    summary: 'Whole friend lists as observed',
    messages: [friendListObserved],
    partitions: GRAPH_PARTITIONS,
    config: kept(14),
  }),
  groups: topic({
    name: 'sociograph.social.groups.v1',
    key: 'workspace:network:group:id',
    summary: 'Snapshots of groups',
    messages: [groupObserved],
    partitions: GRAPH_PARTITIONS,
    config: kept(14),
  }),
  posts: topic({
    name: 'sociograph.social.posts.v1',
    key: 'workspace:network:post:id',
    summary: 'Snapshots of posts',
    messages: [postObserved],
    partitions: GRAPH_PARTITIONS,
    config: kept(14),
  }),
  memberships: topic({
    name: 'sociograph.social.memberships.v1',
    key: 'workspace:network:group:id',
    summary: 'Members of groups, page by page, then a closing record',
    messages: [membershipPageObserved, membershipListClosed],
    partitions: GRAPH_PARTITIONS,
    config: kept(14),
  }),
  subscriptions: topic({
    name: 'sociograph.social.subscriptions.v1',
    key: 'workspace:network:user:id',
    summary: 'Whole lists of what people belong to and follow, as observed',
    messages: [subscriptionListObserved],
    partitions: GRAPH_PARTITIONS,
    config: kept(14),
  }),
  suppressions: topic({
    name: 'sociograph.graph.suppressions.v1',
    key: 'workspace:network:mark',
    summary: 'Marks of erased people; read whole by every service that could bring them back',
    messages: [personSuppressed],
    partitions: 1,
    config: compacted,
  }),
  graphChanges: topic({
    name: 'sociograph.graph.changes.v1',
    key: 'workspace:network:kind:id, or marker:partition',
    summary: 'What is now stored of one vertex; the header `source` says which input is done',
    messages: [vertexChanged, inputMarked],
    partitions: GRAPH_PARTITIONS,
    config: compacted,
  }),
  views: topic({
    name: 'sociograph.views.v1',
    key: 'view:partition',
    summary: 'How far each view has applied its input',
    messages: [viewApplied],
    partitions: 1,
    config: compacted,
  }),
  imports: topic({
    name: 'sociograph.imports.v1',
    key: 'import id',
    summary: 'Life of imports',
    messages: [importChanged],
    partitions: 3,
    config: kept(30),
  }),
  keys: topic({
    name: 'sociograph.keys.v1',
    key: 'key id',
    summary: 'Life and use of API keys; never a token',
    messages: [keyChanged, keyUsed],
    partitions: 3,
    config: kept(30),
  }),
  audit: topic({
    name: 'sociograph.audit.v1',
    key: 'workspace',
    summary: 'Who did what',
    messages: [actionAudited],
    partitions: 3,
    config: kept(30),
  }),
  auditHeads: topic({
    name: 'sociograph.audit.heads.v1',
    key: 'workspace',
    summary: 'Signed heads of the sealed audit trails: what was published here cannot be changed unnoticed',
    messages: [auditSealed],
    partitions: 1,
    // Never compacted: beside the last head the earlier ones show that rows were computed anew, or cut off and continued.
    config: { ...kept(0), 'retention.ms': '-1' },
  }),
} as const;

/** Consumer groups and the topics that they read; each pair has a dead-letter topic. */
export const CONSUMER_GROUPS = {
  graphStorage: {
    name: 'graph-storage',
    topics: [
      TOPICS.users,
      TOPICS.friendLists,
      TOPICS.groups,
      TOPICS.posts,
      TOPICS.memberships,
      TOPICS.subscriptions,
    ],
  },
  projector: { name: 'read-model-projector', topics: [TOPICS.graphChanges] },
  audit: { name: 'identity-service', topics: [TOPICS.audit] },
  /** The example for data engineers: topics into a warehouse. */
  analytics: {
    name: 'analytics',
    topics: [
      TOPICS.users,
      TOPICS.friendLists,
      TOPICS.groups,
      TOPICS.posts,
      TOPICS.memberships,
      TOPICS.subscriptions,
      TOPICS.graphChanges,
      TOPICS.imports,
      TOPICS.keys,
    ],
  },
} as const;

/** `<topic>.<group>.dlt`: what the group could not process, as received, with the reason in headers. */
export function deadLetterTopic(topicName: string, group: string): string {
  return `${topicName}.${group}.dlt`;
}

/** Dead-letter topics of all consumer groups, with as many partitions as their source. */
export function deadLetterTopics(): TopicDefinition[] {
  return Object.values(CONSUMER_GROUPS).flatMap((group) =>
    group.topics.map((source) => ({
      name: deadLetterTopic(source.name, group.name),
      key: 'as received',
      summary: `Records of ${source.name} that ${group.name} could not process`,
      messages: source.messages,
      partitions: source.partitions,
      config: kept(30),
    })),
  );
}

/** Views whose `applied up to` decides that an import is readable. */
export const VIEWS = { profile: 'user_profile_read', summary: 'graph_summary' } as const;

/**
 * Not a view: parser-service says under this name how far it has taken erased people out of imports and the files of its
 * database, by positions in the topic of suppressions.
 */
export const FORGOTTEN_BY_IMPORTS = 'imports';
