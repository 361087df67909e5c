import { mergePositions, type Positions } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type { Kafka } from 'kafkajs';
import type { BatchFn } from './batch-processor';
import { backoffMs, pause } from './backoff';
import { nameOf, type ParsedRecord, type TopicRef } from './event-record';
import { LogReader, logBounds, logUnavailable, type LogBounds } from './log-reader';

export interface ReplayOptions {
  kafka: Kafka;
  topic: TopicRef;
  /** `earliest`, or the offsets of an earlier replay or checkpoint: what they do not name begins at the earliest. */
  from: 'earliest' | Positions;
  /** `end`: what is there when the replay starts. Positions end the named partitions there and leave out the others. */
  to: 'end' | Positions;
  /** Gets batches of one partition number, never two at once. Records that do not parse are in `deadLettered`. */
  onBatch: BatchFn;
  /** First part of the reader's group name; access rights are given by it. */
  reader?: string;
}

interface Span {
  from: number;
  to: number;
}

/**
 * Reads a stretch of a topic without group and without committing, and resolves with where it ended. Exactly
 * the records below the end are delivered. What `onBatch` throws ends the replay and is thrown on.
 * Throws `LOG.POSITION_BEYOND_END` (unprocessable) when `to` names what is not written yet, and
 * `KAFKA.UNAVAILABLE`.
 */
export async function replayTopic(options: ReplayOptions): Promise<Positions> {
  const topic = nameOf(options.topic);
  const spans = spansOf(topic, await logBounds(options.kafka, topic), options);
  const open = new Set([...spans].filter(([, span]) => span.from < span.to).map(([partition]) => partition));
  if (open.size > 0) await read(options, spans, open);
  return { [topic]: Object.fromEntries([...spans].map(([partition, span]) => [String(partition), span.to])) };
}

/** Readers that may be lost in a row, without a record between them, before the replay gives up. */
const MAX_LOSSES = 8;

async function read(options: ReplayOptions, spans: Map<number, Span>, open: Set<number>): Promise<void> {
  for (let losses = 0; open.size > 0;) {
    const before = placesOf(spans);
    const lost = await readUntilLost(options, spans, open);
    if (lost === undefined) return;
    losses = placesOf(spans) === before ? losses + 1 : 1;
    if (losses > MAX_LOSSES) throw logUnavailable(nameOf(options.topic), lost.error);
    await pause(backoffMs(losses, 200, 2_000));
  }
}

/** Undefined when all partitions are at their ends; the error when the connection broke before that. */
async function readUntilLost(
  options: ReplayOptions,
  spans: Map<number, Span>,
  open: Set<number>,
): Promise<{ error: unknown } | undefined> {
  let finish!: (lost: { error: unknown } | undefined) => void;
  let refuse!: (error: unknown) => void;
  const finished = new Promise<{ error: unknown } | undefined>((resolve, reject) => {
    finish = resolve;
    refuse = reject;
  });
  const reader = new LogReader({
    kafka: options.kafka,
    topic: options.topic,
    reader: options.reader ?? 'sociograph',
    onRefused: refuse,
    onLost: (error) => finish({ error }),
    // The last offsets before the end may be gone, and nothing may come after them that says so.
    onQuiet: () => finish(undefined),
    async onRecords(partition, items, heartbeat) {
      const span = spans.get(partition);
      if (span === undefined || !open.has(partition)) return;
      const wanted = items.filter(({ offset }) => offset >= span.from && offset < span.to);
      if (wanted.length > 0) await options.onBatch(batchOf(partition, wanted, heartbeat));
      const next = (items.at(-1)?.offset ?? -1) + 1;
      span.from = Math.max(span.from, next);
      if (next >= span.to) open.delete(partition);
      if (open.size === 0) finish(undefined);
    },
  });
  try {
    await reader.start(new Map([...spans].map(([partition, span]) => [partition, span.from])));
    return await finished;
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('KafkaJS')) return { error };
    throw error;
  } finally {
    await reader.stop();
  }
}

function placesOf(spans: Map<number, Span>): string {
  return JSON.stringify([...spans.values()]);
}

function spansOf(topic: string, bounds: readonly LogBounds[], options: ReplayOptions): Map<number, Span> {
  const spans = new Map<number, Span>();
  for (const { partition, low, high } of bounds) {
    const wanted = options.to === 'end' ? high : options.to[topic]?.[String(partition)];
    if (wanted === undefined) continue;
    if (wanted > high) throw beyondEnd(topic, partition, wanted, high);
    const asked = options.from === 'earliest' ? low : (options.from[topic]?.[String(partition)] ?? low);
    spans.set(partition, { from: Math.max(asked, low), to: wanted });
  }
  return spans;
}

function batchOf(
  partition: number,
  items: ParsedRecord[],
  heartbeat: () => Promise<void>,
): Parameters<BatchFn>[0] {
  return {
    partition,
    records: items.flatMap((item) => (item.kind === 'event' ? [item.record] : [])),
    deadLettered: items.flatMap((item) => (item.kind === 'rejected' ? [item.rejected] : [])),
    positions: items.reduce<Positions>(
      (reached, { topic, offset }) =>
        mergePositions(reached, { [topic]: { [String(partition)]: offset + 1 } }),
      {},
    ),
    heartbeat,
  };
}

function beyondEnd(topic: string, partition: number, wanted: number, high: number): DomainError {
  return new DomainError({
    code: 'LOG.POSITION_BEYOND_END',
    kind: 'unprocessable',
    message: 'The position lies beyond the end of the log.',
    facts: { topic, partition, wanted, high },
  });
}
