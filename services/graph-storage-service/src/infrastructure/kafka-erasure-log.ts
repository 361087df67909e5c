import {
  CONSUMER_GROUPS,
  deadLetterTopic,
  FORGOTTEN_BY_IMPORTS,
  inputMarked,
  markerKey,
  personSuppressed,
  recordKey,
  TOPICS,
  vertexChanged,
  viewApplied,
  VIEWS,
  type Positions,
  wallOwnerOf,
} from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
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
import type { Vertex } from '../domain/vertex';
import { otherVertexOf, vertexOf } from './kafka-change-log';

const CHANGES = TOPICS.graphChanges.name;
const MARKS = TOPICS.suppressions.name;
const OBSERVED = CONSUMER_GROUPS.graphStorage.topics.map(({ name }) => name);
/** Of every group that reads what may name people. */
const DEAD = Object.values(CONSUMER_GROUPS).flatMap(({ name: group, topics }) =>
  topics
    .filter(({ name }) => name === CHANGES || OBSERVED.includes(name))
    .map(({ name }) => deadLetterTopic(name, group)),
);
const READER = CONSUMER_GROUPS.graphStorage.name;

export interface KafkaErasureLogOptions {
  kafka: Kafka;
  publisher: Pick<EventPublisher, 'publish'>;
  /** Aborted when the process stops: reading the logs is broken off, and begun anew by the next one. */
  signal: AbortSignal;
}

export class KafkaErasureLog extends ErasureLog {
  constructor(private readonly options: KafkaErasureLogOptions) {
    super();
  }

  async suppress({ id, workspaceId, network, mark, requestedAt }: Erasure): Promise<void> {
    const value = { workspaceId, network, mark, erasureId: id, at: requestedAt };
    await this.options.publisher.publish([
      { message: personSuppressed, key: `${workspaceId}:${network}:${mark}`, value },
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
      for (const topic of [CHANGES, MARKS, ...OBSERVED, ...DEAD]) {
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
    const { applied, forgotten } = await this.#applied();
    const changes = await this.#naming(erasures, [CHANGES]);
    const observed = await this.#naming(erasures, OBSERVED);
    const dead = await this.#naming(erasures, DEAD);
    // Who began to wait before imports said anything noted no end of the marks: today's counts for them.
    const isOld = erasures.some(({ ends }) => ends[MARKS] === undefined);
    const marks = isOld ? ((await this.ends())[MARKS] ?? {}) : {};
    return new Map(
      erasures.map((erasure) => [
        erasure.id,
        {
          views: covers(applied, erasure.ends[CHANGES] ?? {}),
          queues: covers({ imports: forgotten }, erasure.ends[MARKS] ?? marks),
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
    const sought = soughtBy(erasures);
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
          const note = ({ offset }: { offset: number }, { id, ends }: Erasure): void => {
            if (offset < (ends[topic]?.[String(partition)] ?? 0)) found.add(id);
          };
          for (const record of records) for (const erasure of named(record, sought)) note(record, erasure);
          for (const record of deadLettered)
            for (const erasure of erasures) if (mentions(record, erasure)) note(record, erasure);
        },
      });
    }
    return found;
  }

  /** What every view has applied of the change log, and up to which marks imports have let people go. */
  async #applied(): Promise<{
    applied: Record<string, Record<string, number>>;
    forgotten: Record<string, number>;
  }> {
    const applied: Record<string, Record<string, number>> = {};
    const forgotten: Record<string, number> = {};
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
          const ofImports = view === FORGOTTEN_BY_IMPORTS;
          const known = ofImports ? forgotten : (applied[view] ??= {});
          for (const [partition, offset] of Object.entries(appliedUpTo[ofImports ? MARKS : CHANGES] ?? {}))
            known[partition] = Math.max(known[partition] ?? 0, offset);
        }
      },
    });
    return { applied, forgotten };
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

/** Erasures by workspace and network, then by the person. */
export type Sought = ReadonlyMap<string, ReadonlyMap<string, Erasure>>;

/** One pass over a record serves all of them, and none is needed where nobody is sought. */
export function soughtBy(erasures: readonly Erasure[]): Sought {
  const sought = new Map<string, Map<string, Erasure>>();
  for (const erasure of erasures) {
    const { workspaceId, network, personId } = erasure;
    if (personId === undefined) continue;
    const scope = `${workspaceId}:${network}:`;
    sought.set(scope, (sought.get(scope) ?? new Map<string, Erasure>()).set(personId, erasure));
  }
  return sought;
}

/** Those whose person the record is about, or holds among its people. */
export function named({ key, value }: Pick<EventRecord, 'key' | 'value'>, sought: Sought): Set<Erasure> {
  const found = new Set<Erasure>();
  const [scope = '', kind = '', id = ''] = /^([^:]*:[^:]*:)([^:]*):(.*)$/.exec(key)?.slice(1) ?? [];
  const people = sought.get(scope);
  if (people === undefined) return found;
  const meet = (person: unknown): void => {
    const erasure = typeof person === 'string' ? people.get(person) : undefined;
    if (erasure) found.add(erasure);
  };
  if (kind === 'user') meet(id);
  // The ended key of a post: networks make such keys of the owner's id. Like every tombstone it goes by itself.
  if (value === null && kind === 'post') meet(wallOwnerOf(id));
  meetAll(value, meet);
  return found;
}

function meetAll(value: unknown, meet: (person: unknown) => void): void {
  if (typeof value === 'string') return meet(value);
  if (Array.isArray(value)) return value.forEach((element) => meetAll(element, meet));
  if (typeof value !== 'object' || value === null) return;
  const { kind, ownerKind, list } = value as Record<string, unknown>;
  for (const [name, inner] of Object.entries(value)) {
    if (NO_PEOPLE.has(name)) continue;
    if (name === 'repostOf') meet(wallOwnerOf(String(inner)));
    else if (name === 'id' && kind !== undefined && kind !== 'user') continue;
    else if (name === 'ownerId' && ownerKind !== 'user') continue;
    else if (name === 'ids' && typeof list === 'string' && list !== 'people') continue;
    else meetAll(inner, meet);
  }
}

/** Of a record that cannot be read: whether the id stands in it as a word of its own. */
export function mentions({ raw }: Pick<RejectedRecord, 'raw'>, { personId }: Erasure): boolean {
  if (personId === undefined) return false;
  const word = new RegExp(`(?<![A-Za-z0-9_-])${personId}(?![A-Za-z0-9_-])`);
  return word.test(raw.key?.toString('utf8') ?? '') || word.test(raw.value?.toString('utf8') ?? '');
}
