import { TOPICS, vertexChanged } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import { isEvent, replayTopic } from '@sociograph/messaging';
import type { Postgres } from '@sociograph/postgres';
import type { Suppressions } from '@sociograph/suppression';
import type { ItemKind } from '../domain/items';
import { KnownPeople, LOOKED_AT } from '../domain/known-people';
import { PeopleOfNetwork } from '../domain/ports';
import { SharedReadings } from './shared-readings';

/** Whoever asks waits so long; below what the gateway waits for an answer. */
const PATIENCE_MS = 12_000;

type Kafka = Parameters<typeof replayTopic>[0]['kafka'];

/**
 * Who is known, from the graph's own log (read whole: it is compacted, and nothing of it is kept here) and from the items
 * of imports, which know of looks that changed nothing. Who asks while it is read for the same network gets that reading.
 */
export class LogOfPeople extends PeopleOfNetwork {
  private readonly readings: SharedReadings<KnownPeople>;

  constructor(
    private readonly kafka: Kafka,
    private readonly app: Postgres,
    private readonly suppressions: Pick<Suppressions, 'isSuppressed'>,
    private readonly caughtUp: Promise<unknown>,
    monotonicMs: () => number,
  ) {
    super();
    this.readings = new SharedReadings(PATIENCE_MS, monotonicMs);
  }

  async known(workspaceId: string, network: string, since?: number): Promise<KnownPeople> {
    const read = (): Promise<KnownPeople> => this.read(workspaceId, network);
    const known = await this.readings.take(`${workspaceId} ${network}`, read, since);
    if (known !== 'late') return known;
    throw new DomainError({
      code: 'IMPORTS.REFRESH_READING',
      kind: 'unavailable',
      message: 'The log of the graph is still being read.',
      retryAfterSeconds: 5,
    });
  }

  private async read(workspaceId: string, network: string): Promise<KnownPeople> {
    await this.caughtUp;
    const known = new KnownPeople();
    const isErased = (id: string): boolean => this.suppressions.isSuppressed(workspaceId, network, id);
    await this.readLog(known, `${workspaceId}:${network}:user:`, isErased);
    await this.readItems(known, workspaceId, network, isErased);
    return known;
  }

  private async readLog(
    known: KnownPeople,
    prefix: string,
    isErased: (id: string) => boolean,
  ): Promise<void> {
    await replayTopic({
      kafka: this.kafka,
      topic: TOPICS.graphChanges,
      from: 'earliest',
      to: 'end',
      reader: 'parser-service',
      onBatch: async ({ records }) => {
        for (const record of records) {
          if (!record.key.startsWith(prefix)) continue;
          const id = record.key.slice(prefix.length);
          if (record.value === null || isErased(id)) known.forget(id);
          if (isErased(id) || !isEvent(record, vertexChanged)) continue;
          const { document, friends } = record.value;
          if (document !== undefined) known.looked('profile', id, document.observedAt);
          if (friends !== undefined) known.listed(id, friends.ids, friends.complete, friends.observedAt);
        }
      },
    });
  }

  /** `ready_at` of an item that is final is when that was stored. */
  private async readItems(
    known: KnownPeople,
    workspaceId: string,
    network: string,
    isErased: (id: string) => boolean,
  ): Promise<void> {
    const rows = await this.app.inWorkspace(workspaceId, async (q) => {
      const found = await q.query<{ kind: ItemKind; person: string; looked: number; whole: number | null }>(
        `SELECT kind, person, (extract(epoch FROM max(ready_at)) * 1000)::float8 AS looked,
           (extract(epoch FROM max(ready_at) FILTER (WHERE items.state = 'done')) * 1000)::float8 AS whole
         FROM items JOIN imports ON imports.id = items.import_id
         WHERE imports.workspace_id = $1 AND imports.network = $2 AND kind <> 'name' AND left(person, 1) <> '#'
           AND (items.state = 'done' OR (items.state = 'gap' AND cause = ANY ($3)))
         GROUP BY kind, person`,
        [workspaceId, network, [...LOOKED_AT]],
      );
      return found.rows;
    });
    for (const { kind, person, looked, whole } of rows) {
      if (isErased(person)) continue;
      known.looked(kind, person, looked);
      if (whole !== null) known.looked(kind, person, whole, true);
    }
  }
}
