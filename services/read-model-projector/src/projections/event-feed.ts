import {
  actionAudited,
  decodePositions,
  encodePositions,
  importChanged,
  keyChanged,
  keyUsed,
  type MessageDefinition,
  messageType,
  type Positions,
  TOPICS,
  vertexChanged,
} from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import {
  badCursor,
  cursorBeyondEnd,
  cursorTooOld,
  notReady,
  tooManyReaders,
  typeForbidden,
} from './event-feed-errors';
import { type Erased, visibleVertex } from './visible-vertex';

/** Who may read events of a kind: keys and the audit trail are for those who manage them. */
const KINDS = [
  {
    message: vertexChanged,
    topic: TOPICS.graphChanges.name,
    roles: ['viewer', 'analyst', 'operator', 'admin'],
  },
  { message: importChanged, topic: TOPICS.imports.name, roles: ['analyst', 'operator', 'admin'] },
  { message: keyChanged, topic: TOPICS.keys.name, roles: ['operator', 'admin'] },
  { message: keyUsed, topic: TOPICS.keys.name, roles: ['operator', 'admin'] },
  { message: actionAudited, topic: TOPICS.audit.name, roles: ['admin'] },
] as const satisfies readonly { message: MessageDefinition; topic: string; roles: readonly string[] }[];

/** Names by which a reader chooses: `sociograph.imports.import-changed`. */
export const FEED_TYPES: readonly string[] = KINDS.map(({ message }) => message.name);

export interface FeedQuery {
  workspaceId: string;
  roles: readonly string[];
  /** Names of FEED_TYPES; undefined: all that the roles may read. */
  types: readonly string[] | undefined;
  cursor: string | undefined;
  /** Where to begin without a cursor. */
  from: 'start' | 'now';
}

/** One record as the log has it; `value` is undefined for what carries no payload that could be parsed. */
export interface FeedRecord {
  topic: string;
  partition: number;
  offset: number;
  message: MessageDefinition | undefined;
  value: unknown;
  id: string | undefined;
  source: string | undefined;
  timestampMs: number;
}

/** An event as a reader gets it: CloudEvents in JSON, and the place after it. */
export interface FeedEvent {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  time: string;
  datacontenttype: 'application/json';
  data: unknown;
  cursor: string;
}

export interface FeedPage {
  events: FeedEvent[];
  next: string;
  /** True: there was nothing after `next` when the page was read. */
  endOfLog: boolean;
}

/** Offsets by partition. */
export type Offsets = Record<string, number>;

export abstract class EventFeedLog {
  /** First and next offset of each partition. */
  abstract bounds(topic: string): Promise<{ partition: number; low: number; high: number }[]>;
  /** Records from `from` up to `to`, in order by partition, until `take` answers false. */
  abstract read(
    topic: string,
    from: Offsets,
    to: Offsets,
    take: (record: FeedRecord) => boolean,
  ): Promise<void>;
  /** Records from `from` on; the next one waits for `take`. */
  abstract follow(
    topic: string,
    from: Offsets,
    take: (record: FeedRecord) => Promise<void>,
  ): { stop(): Promise<void> };
}

/** Who listens to a stream. */
export interface FeedListener {
  /** Resolves when there is room for the next one. */
  next(event: FeedEvent): Promise<void>;
  end(reason: 'shutting-down'): void;
}

export interface FeedOptions {
  log: EventFeedLog;
  erased: Erased;
  /** All erased people are known: until then nothing may be shown. */
  ready: () => boolean;
  clock: Clock;
  /** One of the workspace's places for streams over all services; throws EVENTS.QUOTA_STREAMS where none is left. */
  takePlace?: (workspaceId: string) => Promise<() => void>;
  /** Other topics only for specs. */
  topicOf?: (name: string) => string;
}

export const MOST_EVENTS = 1_000;
const MOST_BYTES = 4 * 1024 * 1024;
/** A page ends so long after a topic's first record even when it is not full: most of the log may be of other workspaces. */
const MOST_SCAN_MS = 5_000;
const STREAMS_OF_WORKSPACE = 4;
const STREAMS = 32;

/**
 * A workspace's own events (DESIGN 7: Kafka is no tenant boundary, this is). Nothing is shown of another workspace, of
 * erased people, or of a kind that the reader's roles do not cover; tombstones and markers name no event.
 */
export class EventFeed {
  readonly #readers = new Map<string, number>();
  readonly #listeners = new Map<FeedListener, () => void>();
  /** Readings of the log that are being stopped. */
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(private readonly options: FeedOptions) {}

  /** What lies between the cursor and the end of the log, at most so many events. */
  async page(query: FeedQuery, limit: number): Promise<FeedPage> {
    const kinds = this.#kindsOf(query);
    const leave = await this.#enter(query.workspaceId);
    try {
      const { positions, ends } = await this.#placesOf(query, kinds);
      const events: FeedEvent[] = [];
      let bytes = 0;
      let full = false;
      for (const topic of topicsOf(kinds)) {
        // Not from the call on: to join a group may take as long, and each page would bring one record.
        let startedMs: number | undefined;
        await this.options.log.read(topic, { ...positions[topic] }, ends[topic] ?? {}, (record) => {
          const event = this.#eventOf(record, query, kinds, positions);
          if (event !== undefined) {
            events.push(event);
            bytes += JSON.stringify(event.data).length;
          }
          const nowMs = this.options.clock.monotonicMs();
          startedMs ??= nowMs;
          const slow = nowMs - startedMs >= MOST_SCAN_MS;
          full = events.length >= limit || bytes >= MOST_BYTES || slow;
          return !full;
        });
        if (full) break;
        // Compaction may have taken the last records before the end.
        positions[topic] = { ...ends[topic] };
      }
      return { events, next: encodePositions(positions), endOfLog: !full };
    } finally {
      leave();
    }
  }

  /** Tells every event from the cursor on, until the answer is called or the process ends. */
  async follow(query: FeedQuery, listener: FeedListener): Promise<() => void> {
    const kinds = this.#kindsOf(query);
    const leave = await this.#enter(query.workspaceId);
    try {
      const { positions } = await this.#placesOf(query, kinds);
      if (this.#closed) throw notReady();
      let stopped = false;
      const tails = topicsOf(kinds).map((topic) =>
        this.options.log.follow(topic, { ...positions[topic] }, async (record) => {
          const event = stopped ? undefined : this.#eventOf(record, query, kinds, positions);
          if (event !== undefined) await listener.next(event);
        }),
      );
      const stop = (): void => {
        if (stopped) return;
        stopped = true;
        this.#listeners.delete(listener);
        leave();
        for (const tail of tails) {
          const ending = tail.stop().finally(() => this.#ending.delete(ending));
          this.#ending.add(ending);
        }
      };
      this.#listeners.set(listener, stop);
      return stop;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** The process ends: every stream is told. Resolves when nothing reads the log any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [listener, stop] of this.#listeners) {
      listener.end('shutting-down');
      stop();
    }
    await Promise.all(this.#ending);
  }

  #kindsOf({ types, roles }: FeedQuery): Kind[] {
    const all = KINDS.map((kind) => ({ ...kind, topic: this.options.topicOf?.(kind.topic) ?? kind.topic }));
    const may = (kind: Kind): boolean => kind.roles.some((role) => roles.includes(role));
    if (types === undefined) return all.filter(may);
    const chosen = all.filter(({ message }) => types.includes(message.name));
    if (!chosen.every(may)) throw typeForbidden();
    return chosen;
  }

  /** Takes one of this process' places for readers and one of the workspace's; the answer gives both back. */
  async #enter(workspaceId: string): Promise<() => void> {
    const leaveProcess = this.#enterProcess(workspaceId);
    try {
      const leavePlace = await this.options.takePlace?.(workspaceId);
      return () => {
        leaveProcess();
        leavePlace?.();
      };
    } catch (error) {
      leaveProcess();
      throw error;
    }
  }

  #enterProcess(workspaceId: string): () => void {
    if (!this.options.ready() || this.#closed) throw notReady();
    const own = this.#readers.get(workspaceId) ?? 0;
    const all = [...this.#readers.values()].reduce((sum, count) => sum + count, 0);
    if (own >= STREAMS_OF_WORKSPACE || all >= STREAMS) throw tooManyReaders();
    this.#readers.set(workspaceId, own + 1);
    return () => {
      const left = (this.#readers.get(workspaceId) ?? 1) - 1;
      if (left === 0) this.#readers.delete(workspaceId);
      else this.#readers.set(workspaceId, left);
    };
  }

  async #placesOf(
    query: FeedQuery,
    kinds: readonly Kind[],
  ): Promise<{ positions: Positions; ends: Positions }> {
    const given = query.cursor === undefined ? undefined : decodePositions(query.cursor);
    const known = KINDS.map(({ topic }) => this.options.topicOf?.(topic) ?? topic);
    if (query.cursor !== undefined && given === undefined) throw badCursor();
    if (!Object.keys(given ?? {}).every((topic) => known.includes(topic))) throw badCursor();
    const positions: Positions = {};
    const ends: Positions = {};
    for (const topic of topicsOf(kinds)) {
      const bounds = await this.options.log.bounds(topic);
      const wanted = given?.[topic];
      if (wanted !== undefined && Object.keys(wanted).some((key) => !(Number(key) < bounds.length)))
        throw badCursor();
      positions[topic] = {};
      ends[topic] = {};
      for (const { partition, low, high } of bounds) {
        const begin = query.cursor === undefined && query.from === 'now' ? high : low;
        const offset = wanted?.[String(partition)] ?? begin;
        if (offset < low) throw cursorTooOld(topic);
        if (offset > high) throw cursorBeyondEnd(topic);
        positions[topic][String(partition)] = offset;
        ends[topic][String(partition)] = high;
      }
    }
    return { positions, ends };
  }

  #eventOf(
    record: FeedRecord,
    { workspaceId }: FeedQuery,
    kinds: readonly Kind[],
    positions: Positions,
  ): FeedEvent | undefined {
    const { topic, partition, offset, message, timestampMs } = record;
    positions[topic] = { ...positions[topic], [String(partition)]: offset + 1 };
    if (message === undefined || !kinds.some((kind) => kind.message === message)) return undefined;
    const value = record.value as { workspaceId?: string } | null | undefined;
    if (value?.workspaceId !== workspaceId) return undefined;
    const data = message === vertexChanged ? visibleVertex(value as never, this.options.erased) : value;
    if (data === undefined) return undefined;
    return {
      specversion: '1.0',
      id: record.id ?? `${topic}/${partition}/${offset}`,
      source: record.source ?? 'sociograph',
      type: messageType(message),
      time: new Date(timestampMs).toISOString(),
      datacontenttype: 'application/json',
      data,
      cursor: encodePositions(positions),
    };
  }
}

interface Kind {
  message: MessageDefinition;
  topic: string;
  roles: readonly string[];
}

function topicsOf(kinds: readonly Kind[]): string[] {
  return [...new Set(kinds.map(({ topic }) => topic))];
}
