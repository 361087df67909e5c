import {
  EVENT_HEADERS,
  messageOfType,
  TOPICS,
  type MessageDefinition,
  type PayloadOf,
  type Positions,
  type TopicDefinition,
} from '@sociograph/contracts';
import type { KafkaMessage } from 'kafkajs';

/** One record of a topic whose type is known and whose payload parsed. */
export interface EventRecord<V = unknown> {
  topic: string;
  partition: number;
  offset: number;
  key: string;
  /** Declaration of the payload; undefined only for a tombstone without type. */
  message: MessageDefinition | undefined;
  /** Parsed payload; null for a tombstone. */
  value: V | null;
  id: string | undefined;
  source: string | undefined;
  /** Milliseconds since the Unix epoch at which the producer wrote it. */
  timestampMs: number;
  subject: string | undefined;
  correlationId: string | undefined;
  /** All headers as text, names in lower case as they were sent. */
  headers: Record<string, string>;
  /** `traceparent` of the span in which a batch handler works on it; absent where its trace is not kept. */
  trace?: string | undefined;
}

/** A record that nobody can process, and why; `raw` is as received. */
export interface RejectedRecord {
  topic: string;
  partition: number;
  offset: number;
  key: string | undefined;
  code: string;
  reason: string;
  raw: KafkaMessage;
}

export type ParsedRecord =
  | { kind: 'event'; offset: number; topic: string; record: EventRecord; raw: KafkaMessage }
  | { kind: 'rejected'; offset: number; topic: string; rejected: RejectedRecord };

/** A topic by definition (its messages only) or by name (any declared message). */
export type TopicRef = string | TopicDefinition;

export function nameOf(topic: TopicRef): string {
  return typeof topic === 'string' ? topic : topic.name;
}

/** True when the record carries a payload of this message. */
export function isEvent<M extends MessageDefinition>(
  record: EventRecord,
  message: M,
): record is EventRecord<PayloadOf<M>> & { value: PayloadOf<M> } {
  return record.message === message && record.value !== null;
}

/** On graph.changes: the input positions that are done once this record is applied; undefined when absent or malformed. */
export function inputPositionsOf(record: EventRecord): Positions | undefined {
  const text = record.headers[EVENT_HEADERS.inputPositions];
  if (text === undefined) return undefined;
  try {
    const positions: unknown = JSON.parse(text);
    return typeof positions === 'object' && positions !== null ? (positions as Positions) : undefined;
  } catch {
    return undefined; // A header that is no JSON says nothing; the record itself still counts.
  }
}

/** Parses one record: headers, type, JSON, schema. Never throws: what does not fit is rejected with a reason. */
export function parseRecord(topic: TopicRef, partition: number, raw: KafkaMessage): ParsedRecord {
  const name = nameOf(topic);
  const offset = Number(raw.offset);
  const key = raw.key?.toString('utf8');
  const headers = textHeaders(raw);
  const reject = (code: string, reason: string): ParsedRecord => ({
    kind: 'rejected',
    offset,
    topic: name,
    rejected: { topic: name, partition, offset, key, code, reason, raw },
  });
  if (key === undefined) return reject('EVENT.KEY_MISSING', 'the record has no key');
  const type = headers[EVENT_HEADERS.type];
  const message = type === undefined ? undefined : messagesOf(topic)(type);
  const record: EventRecord = {
    topic: name,
    partition,
    offset,
    key,
    message,
    value: null,
    id: headers[EVENT_HEADERS.id],
    source: headers[EVENT_HEADERS.source],
    timestampMs: Number(raw.timestamp),
    subject: headers[EVENT_HEADERS.subject],
    correlationId: headers[EVENT_HEADERS.correlationId],
    headers,
  };
  if (raw.value === null) return { kind: 'event', offset, topic: name, record, raw };
  if (type === undefined) return reject('EVENT.TYPE_MISSING', 'the header ce_type is missing');
  if (message === undefined)
    return reject('EVENT.TYPE_UNKNOWN', `the type ${type.slice(0, 128)} does not belong here`);
  let content: unknown;
  try {
    content = JSON.parse(raw.value.toString('utf8'));
  } catch {
    return reject('EVENT.NOT_JSON', 'the value is no JSON');
  }
  const parsed = message.schema.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue === undefined || issue.path.length === 0 ? 'the value' : issue.path.join('.');
    return reject('EVENT.INVALID', `${path}: ${issue?.message ?? 'does not fit the schema'}`.slice(0, 256));
  }
  record.value = parsed.data;
  return { kind: 'event', offset, topic: name, record, raw };
}

/** The topic that a message is published to; undefined when none or several carry it. */
export function topicOfMessage(message: MessageDefinition): TopicDefinition | undefined {
  const carrying = Object.values(TOPICS).filter((topic: TopicDefinition) => topic.messages.includes(message));
  return carrying.length === 1 ? carrying[0] : undefined;
}

/** The definition of a topic of the platform; undefined for any other name. */
export function topicByName(name: string): TopicDefinition | undefined {
  return Object.values(TOPICS).find((topic) => topic.name === name);
}

function messagesOf(topic: TopicRef): (type: string) => MessageDefinition | undefined {
  if (typeof topic === 'string') return messageOfType;
  return (type) => topic.messages.find((message) => `${message.name}.v${message.version}` === type);
}

function textHeaders(raw: KafkaMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw.headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) headers[name] = first.toString();
  }
  return headers;
}
