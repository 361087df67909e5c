import { Clock, Ids, SystemClock } from '@sociograph/kernel';
import type { Redis } from 'ioredis';
import { ViewCache } from '../projections/ports';
import { onRedis } from './redis-connection';

const ENTRY_TTL_MS = 60_000;
/** Should a notice be lost with its connection, unnoticed, an instance goes on with what it has for so long at most. */
const LOCAL_TTL_MS = 2000;
const MAX_LOCAL_GRAPHS = 1000;
const MAX_LOCAL_ENTRIES = 5000;
const CHANNEL = 'views:forgotten';

interface Near {
  answer: unknown;
  until: number;
}

/**
 * L1 in this process, L2 in redis-cache. Readers who ask for the same at the same time share one load; a load that began
 * before the graph was forgotten is shared by nobody who asks after it. In L2 an entry carries the generation of its graph that was read BEFORE
 * the row was; forgetting a graph gives it a new generation, so that an entry put there by a slow reader, with a
 * row of before, is never taken. L1 is dropped by a message of the writer and is not used while the subscription
 * is down. When Redis is away every read goes to the store; forgetting fails then, and with it the flush.
 */
export class RedisViewCache extends ViewCache {
  private readonly local = new Map<string, Map<string, Near>>();
  /** Loads under way, by graph and entry. */
  private readonly loading = new Map<string, Map<string, Promise<unknown>>>();
  private listening = false;

  /** `subscriber` is a connection of its own; `prefix` keeps specs apart. */
  constructor(
    private readonly redis: Redis,
    private readonly subscriber: Redis,
    private readonly ids: Ids,
    private readonly prefix = '',
    private readonly clock: Clock = new SystemClock(),
  ) {
    super();
    subscriber.on('message', (_channel: string, graph: string) => this.drop(graph));
    subscriber.on('ready', () => void this.listen());
    subscriber.on('close', () => this.deafen());
    if (subscriber.status === 'ready') void this.listen();
  }

  async read<T>(graph: string, entry: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const near = this.entriesOf(graph)?.get(entry);
    if (near !== undefined && near.until > this.clock.monotonicMs()) return near.answer as T;
    let loads = this.loading.get(graph);
    const shared = loads?.get(entry) as Promise<T | undefined> | undefined;
    if (shared !== undefined) return shared;
    if (loads === undefined) this.loading.set(graph, (loads = new Map()));
    const mine = loads;
    const answer = this.readShared(graph, entry, load).finally(() => {
      mine.delete(entry);
      if (mine.size === 0 && this.loading.get(graph) === mine) this.loading.delete(graph);
    });
    mine.set(entry, answer);
    return answer;
  }

  private async readShared<T>(
    graph: string,
    entry: string,
    load: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const entries = this.entriesOf(graph);
    const shared = await this.shared<T>(graph, entry);
    const answer = shared.answer ?? (await load());
    if (answer === undefined) return undefined;
    // Forgotten meanwhile: the map is no longer the one in use, and what was read may be of before.
    if (entries !== undefined && this.local.get(graph) === entries) {
      if (entries.size >= MAX_LOCAL_ENTRIES) entries.clear();
      entries.set(entry, { answer, until: this.clock.monotonicMs() + LOCAL_TTL_MS });
    }
    if (shared.answer === undefined && shared.generation !== undefined) {
      const text = JSON.stringify({ generation: shared.generation, answer });
      // Not waited for: an entry that does not get there only costs the next reader a read of the store.
      this.redis.set(this.entryKey(graph, entry), text, 'PX', ENTRY_TTL_MS).catch(() => undefined);
    }
    return answer;
  }

  async forget(graphs: readonly string[]): Promise<void> {
    for (const graph of graphs) this.drop(graph);
    await onRedis('VIEWS.CACHE_AWAY', async () => {
      const commands = this.redis.pipeline();
      for (const graph of graphs) {
        commands.set(this.generationKey(graph), this.ids.next());
        commands.publish(`${this.prefix}${CHANNEL}`, graph);
      }
      for (const [error] of (await commands.exec()) ?? []) if (error !== null) throw error;
    });
  }

  /** The shared entry if it is of the graph's present generation; no generation: nothing can be put there now. */
  private async shared<T>(graph: string, entry: string): Promise<{ answer?: T; generation?: string }> {
    try {
      const [generation, text] = await this.redis.mget(
        this.generationKey(graph),
        this.entryKey(graph, entry),
      );
      if (generation === null || generation === undefined) {
        // Never forgotten yet, or evicted: a fresh one, which no entry carries.
        await this.redis.set(this.generationKey(graph), this.ids.next(), 'NX');
        return {};
      }
      if (text === null || text === undefined) return { generation };
      const found = JSON.parse(text) as { generation: string; answer: T };
      return found.generation === generation ? { answer: found.answer, generation } : { generation };
    } catch {
      return {}; // Redis is away: the store answers.
    }
  }

  /** Nobody who asks from now on gets what was read before. */
  private drop(graph: string): void {
    this.local.delete(graph);
    this.loading.delete(graph);
  }

  private entriesOf(graph: string): Map<string, Near> | undefined {
    if (!this.listening) return undefined;
    let entries = this.local.get(graph);
    if (entries === undefined) {
      if (this.local.size >= MAX_LOCAL_GRAPHS) this.local.clear();
      entries = new Map();
      this.local.set(graph, entries);
    }
    return entries;
  }

  private async listen(): Promise<void> {
    try {
      await this.subscriber.subscribe(`${this.prefix}${CHANNEL}`);
      this.local.clear();
      this.listening = true;
    } catch {
      this.deafen(); // The connection went again; `ready` comes back with the next one.
    }
  }

  private deafen(): void {
    this.listening = false;
    this.local.clear();
  }

  private generationKey(graph: string): string {
    return `${this.prefix}views:generation:${graph}`;
  }

  private entryKey(graph: string, entry: string): string {
    return `${this.prefix}views:entry:${graph}:${entry}`;
  }
}
