import {
  CONSUMER_GROUPS,
  DEAD_LETTER_HEADERS,
  deadLetterTopic,
  type Positions,
  TOPICS,
} from '@sociograph/contracts';
import { replayTopic } from '@sociograph/messaging';
import type { Postgres, Queryable } from '@sociograph/postgres';
import type { Kafka, KafkaMessage } from 'kafkajs';
import type { ItemKind } from '../domain/items';
import { DeadRecords } from '../domain/ports';
import { type FinalCount, gainedBy, lockForProgress, saveImport } from './pg-rows';

/** What a dead record says of the item that it came from; undefined where it does not say which. */
export interface DeadRecord {
  importId: string;
  callId: string;
  workspaceId: string;
  kind: ItemKind;
  person: string;
  code: string;
}

interface Source {
  readonly topic: string;
  readonly deadTopic: string;
}

const { name: GROUP, topics: GRAPH_TOPICS } = CONSUMER_GROUPS.graphStorage;
/** Topics of what imports publish, each with the one of records that graph-storage could not take. */
export const DEAD_TOPICS: readonly Source[] = GRAPH_TOPICS.map(({ name }) => ({
  topic: name,
  deadTopic: deadLetterTopic(name, GROUP),
}));

/**
 * Reads the dead-letter topics as far as they go and makes gaps of what belongs to imports. How far they are read is in
 * PostgreSQL with what was found, so that every record counts once, whichever process reads it.
 */
export class KafkaDeadRecords extends DeadRecords {
  private sweeping: Promise<void> | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly worker: Postgres,
    private readonly now: () => number,
    private readonly sources: readonly Source[] = DEAD_TOPICS,
  ) {
    super();
  }

  /** Whoever asks during a sweep waits for one that begins after it: the other may have looked already. */
  async sweep(): Promise<void> {
    await this.sweeping?.catch(() => undefined);
    this.sweeping ??= this.read().finally(() => (this.sweeping = undefined));
    return this.sweeping;
  }

  private async read(): Promise<void> {
    for (const source of this.sources) {
      await replayTopic({
        kafka: this.kafka,
        topic: source.deadTopic,
        reader: 'parser-service',
        from: await this.placesOf(source.deadTopic),
        to: 'end',
        onBatch: async ({ partition, records, deadLettered, positions }) => {
          const found = [
            ...records.map(({ offset, headers, value }) => ({ offset, headers, value: value as unknown })),
            // Most of them are here because they do not parse.
            ...deadLettered.map(({ offset, raw }) => ({
              offset,
              headers: headersOf(raw),
              value: jsonOf(raw),
            })),
          ];
          await this.worker.tx(async (q) => {
            for (const { offset, headers, value } of found) {
              const dead = deadRecordOf(source.topic, headers, value);
              if (dead !== undefined) await noteDead(q, source.deadTopic, partition, offset, dead);
            }
            await notePlaces(q, positions);
          });
        },
      });
    }
    await this.apply();
  }

  private async placesOf(topic: string): Promise<Positions> {
    const { rows } = await this.worker.query<{ partition: number; next_offset: number }>(
      'SELECT partition, next_offset FROM dead_record_positions WHERE topic = $1',
      [topic],
    );
    return { [topic]: Object.fromEntries(rows.map((row) => [String(row.partition), row.next_offset])) };
  }

  private async apply(): Promise<void> {
    const { rows } = await this.worker.query<{ import_id: string }>(
      'SELECT DISTINCT import_id FROM dead_records WHERE NOT applied',
    );
    for (const { import_id: importId } of rows) await this.worker.tx((q) => applyTo(q, importId, this.now()));
  }
}

/**
 * An item whose call is done turns into a gap: its observation was published and is lost. Where the call is under way,
 * or the item goes on in further calls (a wall, members), it is looked at again later; where the call was put back
 * nothing was counted, and the item comes in another one. Of whom it was is forgotten then: that it counted is enough.
 */
async function applyTo(q: Queryable, importId: string, now: number): Promise<void> {
  const job = await lockForProgress(q, importId);
  if (job === undefined) return;
  const { rows } = await q.query<FinalCount>(
    `WITH settled AS (
       SELECT d.topic, d.partition, d.place, d.kind, d.person, d.code, coalesce(c.state, 'done') AS call_state
       FROM dead_records d LEFT JOIN calls c ON c.id = d.call_id
       WHERE d.import_id = $1 AND NOT d.applied AND coalesce(c.state, 'done') NOT IN ('queued', 'running')
         AND NOT EXISTS (
           SELECT FROM items WHERE items.import_id = $1 AND items.kind = d.kind AND items.person = d.person
             AND items.state IN ('pending', 'called') AND items.cursor IS NOT NULL)
     ), noted AS (
       UPDATE dead_records d SET applied = true, person = '' FROM settled s
       WHERE d.topic = s.topic AND d.partition = s.partition AND d.place = s.place
     ), lost AS (
       UPDATE items SET state = 'gap', cause = 'dead-lettered', detail = s.code FROM settled s
       WHERE items.import_id = $1 AND items.kind = s.kind AND items.person = s.person AND items.state = 'done'
         AND s.call_state = 'done'
       RETURNING items.kind
     )
     SELECT kind = 'profile' AS profiles, false AS retried, 0 AS done, count(*) AS gaps FROM lost GROUP BY 1`,
    [importId],
  );
  const { peopleGaps = 0, listsGaps = 0 } = gainedBy(rows);
  if (peopleGaps + listsGaps > 0) await saveImport(q, job.absorb({ peopleGaps, listsGaps }, now).snapshot);
}

async function noteDead(
  q: Queryable,
  topic: string,
  partition: number,
  place: number,
  { importId, callId, workspaceId, kind, person, code }: DeadRecord,
): Promise<void> {
  await q.query(
    `INSERT INTO dead_records (topic, partition, place, import_id, call_id, workspace_id, kind, person, code)
     SELECT $1, $2, $3, id, $5, workspace_id, $7, $8, $9 FROM imports WHERE id = $4 AND workspace_id = $6
     ON CONFLICT DO NOTHING`,
    [topic, partition, place, importId, callId, workspaceId, kind, person, code],
  );
}

async function notePlaces(q: Queryable, positions: Positions): Promise<void> {
  const rows = Object.entries(positions).flatMap(([topic, partitions]) =>
    Object.entries(partitions).map(([partition, next]) => ({ topic, partition: Number(partition), next })),
  );
  await q.query(
    `INSERT INTO dead_record_positions (topic, partition, next_offset)
     SELECT topic, partition, next FROM jsonb_to_recordset($1) AS p (topic text, partition integer, next bigint)
     ON CONFLICT (topic, partition)
     DO UPDATE SET next_offset = greatest(dead_record_positions.next_offset, EXCLUDED.next_offset)`,
    [JSON.stringify(rows)],
  );
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads only what names the item: the rest of the record may be the very thing that is wrong with it. */
export function deadRecordOf(
  topic: string,
  headers: Readonly<Record<string, string>>,
  value: unknown,
): DeadRecord | undefined {
  const record = (value ?? {}) as Record<string, unknown>;
  const source = (record['source'] ?? {}) as Record<string, unknown>;
  const { importId, callId } = source;
  const { workspaceId } = record;
  const item = itemOf(topic, record);
  if (typeof importId !== 'string' || typeof callId !== 'string' || typeof workspaceId !== 'string')
    return undefined;
  if (!UUID.test(importId) || !UUID.test(callId) || item === undefined) return undefined;
  return { importId, callId, workspaceId, ...item, code: headers[DEAD_LETTER_HEADERS.code] ?? 'UNKNOWN' };
}

/** Which item an observation of this topic comes from. */
function itemOf(
  topic: string,
  record: Record<string, unknown>,
): { kind: ItemKind; person: string } | undefined {
  const text = (name: string): string | undefined =>
    typeof record[name] === 'string' ? (record[name] as string) : undefined;
  const of = (kind: ItemKind, person: string | undefined) =>
    person === undefined || person.length > 80 ? undefined : { kind, person };
  const group = text('groupId') === undefined ? undefined : `-${text('groupId')}`;
  switch (topic) {
    case TOPICS.users.name:
      return of('profile', text('userId'));
    case TOPICS.friendLists.name:
      return of('friends', text('userId'));
    case TOPICS.subscriptions.name:
      return of(record['list'] === 'groups' ? 'groups' : 'subscriptions', text('userId'));
    case TOPICS.groups.name:
      return of('group', group);
    case TOPICS.memberships.name:
      return of('members', group);
    case TOPICS.posts.name: {
      const post = (record['post'] ?? {}) as Record<string, unknown>;
      const owner = typeof post['ownerId'] === 'string' ? post['ownerId'] : undefined;
      return of(
        'wall',
        owner === undefined ? undefined : post['ownerKind'] === 'group' ? `-${owner}` : owner,
      );
    }
    default:
      return undefined;
  }
}

function headersOf({ headers }: KafkaMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}

function jsonOf({ value }: KafkaMessage): unknown {
  try {
    return value === null ? undefined : JSON.parse(value.toString('utf8'));
  } catch {
    return undefined; // Nobody can say whose it was; the topic keeps it with its reason.
  }
}
