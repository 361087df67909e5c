import { recordKey, vertexChanged, type MessageDefinition, type PayloadOf } from '@sociograph/contracts';
import type { EventRecord } from '@sociograph/messaging';

let offset = 0;

/** A record as the batch server hands it over; `id` is the event's id. */
export function aRecord<M extends MessageDefinition>(
  message: M,
  value: PayloadOf<M> | null,
  changes: Partial<EventRecord> = {},
): EventRecord {
  offset += 1;
  return {
    topic: 'spec',
    partition: 0,
    offset,
    key: 'spec',
    message,
    value,
    id: `event-${offset}`,
    source: 'spec',
    timestampMs: 1_795_000_000_000,
    subject: undefined,
    correlationId: undefined,
    headers: {},
    ...changes,
  };
}

/** What graph-storage says of a person. */
export function aStoredPerson(
  id: string,
  friendIds: readonly string[],
  changes: Partial<PayloadOf<typeof vertexChanged>> = {},
): EventRecord {
  const { document, friends, ...example } = vertexChanged.example;
  return aRecord(
    vertexChanged,
    {
      ...example,
      id,
      version: 1,
      ...(document === undefined ? {} : { document }),
      ...(friends === undefined ? {} : { friends: { ...friends, ids: [...friendIds] } }),
      ...changes,
    },
    { key: recordKey('demo', 'vk', 'user', id) },
  );
}
