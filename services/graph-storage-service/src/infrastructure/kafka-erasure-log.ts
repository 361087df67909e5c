import {
  actionAudited,
  CONSUMER_GROUPS,
  deadLetterTopic,
  inputMarked,
  markerKey,
  personSuppressed,
  recordKey,
  TOPICS,
  vertexChanged,
  viewApplied,
  VIEWS,
  type Positions,
} from '@sociograph/contracts';
import { DomainError, type Ids } from '@sociograph/kernel';
import {
  isEvent,
  replayTopic,
  type EventPublisher,
  type EventRecord,
  type RejectedRecord,
} from '@sociograph/messaging';
import type { Kafka } from 'kafkajs';
import type { Erasure, Findings } from '../domain/erasure';
import { ErasureLog } from '../domain/erasure-ports';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import type { SourcePositions } from '../domain/ports';
import { wallOwnerOf } from '../domain/post-id';
import type { Vertex } from '../domain/vertex';
import { otherVertexOf, vertexOf } from './kafka-change-log';

const CHANGES = TOPICS.graphChanges.name;
const OBSERVED = CONSUMER_GROUPS.graphStorage.topics.map(({ name }) => name);
const DEAD = OBSERVED.map((topic) => deadLetterTopic(topic, CONSUMER_GROUPS.graphStorage.name));
const READER = CONSUMER_GROUPS.graphStorage.name;

export interface KafkaErasureLogOptions {
  kafka: Kafka;
  publisher: Pick<EventPublisher, 'publish'>;
  ids: Ids;
  /** Aborted when the process stops: reading the logs is broken off, and begun anew by the next one. */
  signal: AbortSignal;
}

export class KafkaErasureLog extends ErasureLog {
  constructor(private readonly options: KafkaErasureLogOptions) {
    super();
  }

  async suppress({ id, workspaceId, network, mark, requestedBy, requestedAt }: Erasure): Promise<void> {
    const { publisher, ids } = this.options;
    const suppressed = { workspaceId, network, mark, erasureId: id, at: requestedAt };
    const audited = {
      auditId: ids.next(),
      workspaceId,
      actor: { kind: 'person' as const, id: requestedBy },
      action: 'person.erase',
      target: `erasure/${id}`,
      at: requestedAt,
      result: 'done' as const,
    };
    await publisher.publish([
      { message: personSuppressed, key: `${workspaceId}:${network}:${mark}`, value: suppressed },
      { message: actionAudited, key: workspaceId, value: audited },
    ]);
  }

  async publish(people: readonly Person[], posts: readonly Vertex[] = []): Promise<void> {
    const states = [...people.map(vertexOf), ...posts.map(otherVertexOf)];
    await this.options.publisher.publish(
      states.map((value) => ({
        message: vertexChanged,
        key: recordKey(value.workspaceId, value.network, value.kind, value.id),
        value,
      })),
    );
  }

  async bury({ workspaceId, network, id }: PersonRef, posts: readonly string[]): Promise<void> {
    const keys = [
      recordKey(workspaceId, network, 'user', id),
      ...posts.map((post) => recordKey(workspaceId, network, 'post', post)),
    ];
    await this.options.publisher.publish(keys.map((key) => ({ message: vertexChanged, key, value: null })));
  }

  async ends(): Promise<SourcePositions> {
    const admin = this.options.kafka.admin();
    try {
      await admin.connect();
      const ends: SourcePositions = {};
      for (const topic of [CHANGES, ...OBSERVED, ...DEAD]) {
        const offsets = await admin.fetchTopicOffsets(topic);
        ends[topic] = Object.fromEntries(
          offsets.map(({ partition, high }) => [String(partition), Number(high)]),
        );
      }
      return ends;
    } catch (error) {
      throw new DomainError({
        code: 'KAFKA.UNAVAILABLE',
        kind: 'unavailable',
        message: 'The event log cannot be read right now.',
        cause: error,
      });
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  /** Reads what is kept of each log up to the noted ends: what compaction or retention took cannot be read any more. */
  async look(erasures: readonly Erasure[]): Promise<Map<string, Findings>> {
    const applied = await this.#applied();
    const changes = await this.#naming(erasures, [CHANGES]);
    const observed = await this.#naming(erasures, OBSERVED);
    const dead = await this.#naming(erasures, DEAD);
    return new Map(
      erasures.map((erasure) => [
        erasure.id,
        {
          views: covers(applied, erasure.ends[CHANGES] ?? {}),
          'change-log': !changes.has(erasure.id),
          'observation-log': !observed.has(erasure.id),
          'dead-letters': !dead.has(erasure.id),
        },
      ]),
    );
  }

  /** Kafka closes a segment, and compacts it, only when something is appended after its time. */
  async nudge(erasures: readonly Erasure[]): Promise<void> {
    const partitions = new Set(erasures.flatMap(({ ends }) => Object.keys(ends[CHANGES] ?? {}).map(Number)));
    await this.options.publisher.publish(
      [...partitions].map((partition) => ({
        message: inputMarked,
        key: markerKey(partition),
        value: { partition },
        partition,
      })),
    );
  }

  /** Ids of those erasures whose person occurs in one of these topics before the end that the erasure noted. */
  async #naming(erasures: readonly Erasure[], topics: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    const { kafka, signal } = this.options;
    for (const topic of topics) {
      if (signal.aborted) throw brokenOff();
      const to = latest(erasures.map(({ ends }) => ends[topic] ?? {}));
      await replayTopic({
        kafka,
        topic,
        from: 'earliest',
        to: { [topic]: to },
        reader: READER,
        onBatch: async ({ partition, records, deadLettered }) => {
          if (signal.aborted) throw brokenOff();
          for (const erasure of erasures) {
            if (found.has(erasure.id)) continue;
            const end = erasure.ends[topic]?.[String(partition)] ?? 0;
            const before = ({ offset }: { offset: number }): boolean => offset < end;
            if (
              records.some((record) => before(record) && names(record, erasure)) ||
              deadLettered.some((record) => before(record) && mentions(record, erasure))
            )
              found.add(erasure.id);
          }
        },
      });
    }
    return found;
  }

  /** What every view has applied of the change log. */
  async #applied(): Promise<Record<string, Record<string, number>>> {
    const applied: Record<string, Record<string, number>> = {};
    for (const view of Object.values(VIEWS)) applied[view] = {};
    await replayTopic({
      kafka: this.options.kafka,
      topic: TOPICS.views,
      from: 'earliest',
      to: 'end',
      reader: READER,
      onBatch: async ({ records }) => {
        for (const record of records) {
          if (!isEvent(record, viewApplied)) continue;
          const { view, appliedUpTo } = record.value;
          const known = (applied[view] ??= {});
          for (const [partition, offset] of Object.entries(appliedUpTo[CHANGES] ?? {}))
            known[partition] = Math.max(known[partition] ?? 0, offset);
        }
      },
    });
    return applied;
  }
}

function brokenOff(): DomainError {
  return new DomainError({
    code: 'GRAPH.STOPPING',
    kind: 'unavailable',
    message: 'The process stops; what it was doing is begun anew by the next one.',
  });
}

function covers(applied: Record<string, Record<string, number>>, ends: Record<string, number>): boolean {
  return Object.values(applied).every((reached) =>
    Object.entries(ends).every(([partition, end]) => end === 0 || (reached[partition] ?? 0) >= end),
  );
}

function latest(ends: readonly Record<string, number>[]): Positions[string] {
  const to: Record<string, number> = {};
  for (const one of ends)
    for (const [partition, end] of Object.entries(one)) to[partition] = Math.max(to[partition] ?? 0, end);
  return to;
}

/** Attributes that hold ids of groups, pages and posts: they are no people, whatever they are called. */
const NO_PEOPLE = new Set(['groups', 'pages', 'groupId', 'postId', 'group', 'profile', 'text']);

/** True when the record is about the person or holds the id among its people. */
export function names({ key, value }: Pick<EventRecord, 'key' | 'value'>, erasure: Erasure): boolean {
  const { workspaceId, network, personId } = erasure;
  if (personId === undefined || !key.startsWith(`${workspaceId}:${network}:`)) return false;
  if (key === recordKey(workspaceId, network, 'user', personId)) return true;
  // The ended key of a post: networks make such keys of the owner's id. Like every tombstone it goes by itself.
  if (value === null)
    return key.slice(`${workspaceId}:${network}:post:`.length).split('_').includes(personId);
  return occurs(value, personId);
}

function occurs(value: unknown, id: string): boolean {
  if (typeof value === 'string') return value === id;
  if (Array.isArray(value)) return value.some((element) => occurs(element, id));
  if (typeof value !== 'object' || value === null) return false;
  const { kind, ownerKind, list } = value as Record<string, unknown>;
  return Object.entries(value).some(([name, inner]) => {
    if (NO_PEOPLE.has(name)) return false;
    if (name === 'id') return (kind === undefined || kind === 'user') && occurs(inner, id);
    if (name === 'repostOf') return typeof inner === 'string' && wallOwnerOf(inner) === id;
    if (name === 'ownerId') return ownerKind === 'user' && occurs(inner, id);
    if (name === 'ids' && typeof list === 'string' && list !== 'people') return false;
    return occurs(inner, id);
  });
}

/** Of a record that cannot be read: whether the id stands in it as a word of its own. */
export function mentions({ raw }: Pick<RejectedRecord, 'raw'>, { personId }: Erasure): boolean {
  if (personId === undefined) return false;
  const word = new RegExp(`(?<![A-Za-z0-9_-])${personId}(?![A-Za-z0-9_-])`);
  return word.test(raw.key?.toString('utf8') ?? '') || word.test(raw.value?.toString('utf8') ?? '');
}
