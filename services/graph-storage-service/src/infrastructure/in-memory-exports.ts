import type { Export, ExportFormat } from '../domain/export';
import {
  bytesOf,
  ExportDraft,
  ExportDrafts,
  ExportFiles,
  ExportLimits,
  ExportMeter,
  ExportRecords,
  ExportSource,
  ImportLog,
  isSeenBy,
  type ExportedFriendship,
  type ExportedPerson,
  type ExportEnd,
  type ExportLink,
  type ExportScope,
  type ImportSightings,
} from '../domain/export-ports';

/** Fakes of what exports need, held to the same contracts as the real ones. */
export class InMemoryExports extends ExportRecords {
  readonly kept = new Map<string, Export>();

  async add(one: Export): Promise<void> {
    this.kept.set(one.id, one);
  }

  async find(id: string): Promise<Export | undefined> {
    return this.kept.get(id);
  }

  async page(
    workspaceId: string,
    { limit, after, now }: { limit: number; after: string | undefined; now: number },
  ): Promise<Export[]> {
    return this.#all((one) => one.workspaceId === workspaceId && one.expiresAt > now)
      .reverse()
      .filter(({ id }) => after === undefined || id < after)
      .slice(0, limit);
  }

  async unfinished(): Promise<Export[]> {
    return this.#all(({ state }) => state.kind === 'waiting' || state.kind === 'running');
  }

  async expired(now: number): Promise<Export[]> {
    return this.#all(({ expiresAt }) => expiresAt <= now);
  }

  async ofGraph(workspaceId: string, network: string): Promise<Export[]> {
    return this.#all((one) => one.workspaceId === workspaceId && one.network === network);
  }

  async use(now: number): Promise<Map<string, { exports: number; bytes: number }>> {
    const all = this.#all(({ expiresAt }) => expiresAt > now);
    return new Map(
      all.map(({ workspaceId }) => {
        const own = all.filter((one) => one.workspaceId === workspaceId);
        return [workspaceId, { exports: own.length, bytes: bytesOf(own) }];
      }),
    );
  }

  async change(id: string, change: (stored: Export) => Export | undefined): Promise<Export | undefined> {
    const stored = this.kept.get(id);
    const next = stored && change(stored);
    if (next) this.kept.set(id, next);
    return next;
  }

  async remove(id: string, when: (stored: Export) => boolean = () => true): Promise<Export | undefined> {
    const stored = this.kept.get(id);
    if (!stored || !when(stored)) return undefined;
    this.kept.delete(id);
    return stored;
  }

  #all(when: (one: Export) => boolean): Export[] {
    return [...this.kept.values()].filter(when).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** The same for every workspace. */
export class FixedExportLimits extends ExportLimits {
  constructor(
    public most = 20,
    public mostBytes = 1_000_000,
  ) {
    super();
  }

  override exports(): Promise<number> {
    return Promise.resolve(this.most);
  }

  override bytes(): Promise<number> {
    return Promise.resolve(this.mostBytes);
  }
}

export class InMemoryExportFiles extends ExportFiles {
  readonly kept = new Map<string, Uint8Array>();
  readonly swept: number[] = [];

  async write(
    file: string,
    contents: AsyncIterable<Uint8Array>,
    { signal }: { mediaType: string; signal: AbortSignal },
  ): Promise<number> {
    const parts: Uint8Array[] = [];
    for await (const part of contents) {
      signal.throwIfAborted();
      parts.push(part);
    }
    const whole = Buffer.concat(parts);
    this.kept.set(file, whole);
    return whole.byteLength;
  }

  async remove(file: string): Promise<void> {
    this.kept.delete(file);
  }

  async link(file: string, { exportId, now }: { exportId: string; now: number }): Promise<string> {
    return `memory:${exportId}/${file}?at=${now}`;
  }

  async accepts(file: string, { expiresAt, signature }: ExportLink, now: number): Promise<boolean> {
    return signature === file && now < expiresAt;
  }

  async open(file: string): Promise<{ bytes: number; contents: AsyncIterable<Uint8Array> } | undefined> {
    const kept = this.kept.get(file);
    return kept && { bytes: kept.byteLength, contents: once(kept) };
  }

  async sweep(before: number): Promise<void> {
    this.swept.push(before);
  }
}

/** Its files are JSON, whatever the format. */
export class InMemoryExportDrafts extends ExportDrafts {
  readonly undiscarded = new Set<string>();
  readonly swept: number[] = [];

  async open(id: string): Promise<ExportDraft> {
    this.undiscarded.add(id);
    return new InMemoryExportDraft(() => this.undiscarded.delete(id));
  }

  async sweep(before: number): Promise<void> {
    this.swept.push(before);
  }
}

class InMemoryExportDraft extends ExportDraft {
  readonly #friendships: ExportedFriendship[] = [];
  readonly #people = new Map<string, ExportedPerson>();

  constructor(private readonly discarded: () => void) {
    super();
  }

  addFriendships(friendships: readonly ExportedFriendship[]): void {
    this.#friendships.push(...friendships);
  }

  addPeople(people: readonly ExportedPerson[]): void {
    for (const person of people) this.#people.set(person.id, person);
  }

  async complete(): Promise<{ people: number; friendships: number }> {
    return { people: this.#ids().length, friendships: this.#friendships.length };
  }

  contents(format: ExportFormat, about: { name: string; madeAt: number }): AsyncIterable<Uint8Array> {
    const friendships = this.#friendships.map(({ lowId, highId }) => [lowId, highId]);
    return once(Buffer.from(JSON.stringify({ format, ...about, people: this.#ids(), friendships })));
  }

  async discard(): Promise<void> {
    this.discarded();
  }

  #ids(): string[] {
    const members = [...this.#people.values()].filter(({ member }) => member).map(({ id }) => id);
    const ends = this.#friendships.flatMap(({ lowId, highId }) => [lowId, highId]);
    return [...new Set([...members, ...ends])].sort();
  }
}

/** What each import saw; nothing of those it does not name. */
export class InMemoryImportLog extends ImportLog {
  readonly asked: { workspaceId: string; network: string; importId: string }[] = [];

  constructor(readonly seen: Readonly<Record<string, { people?: string[]; lists?: string[] }>> = {}) {
    super();
  }

  async sightings(
    of: { workspaceId: string; network: string; importId: string },
    signal: AbortSignal,
  ): Promise<ImportSightings> {
    signal.throwIfAborted();
    this.asked.push(of);
    const { people = [], lists = [] } = this.seen[of.importId] ?? {};
    return { people: new Set(people), lists: new Set(lists) };
  }
}

/** One graph for all scopes: friendships as pairs of ids, seen by an import each. */
export class InMemoryExportSource extends ExportSource {
  /** Called before each page. */
  beforePage: () => void | Promise<void> = () => undefined;

  constructor(
    private readonly pairs: readonly (readonly [low: string, high: string, importId?: string])[],
    private readonly lone: readonly string[] = [],
  ) {
    super();
  }

  async *friendships({ import: seen, people }: ExportScope): AsyncIterable<ExportedFriendship[]> {
    for (const [lowId, highId, lowImport = 'import-1'] of this.pairs) {
      await this.beforePage();
      const inside = !people || (people.has(lowId) && people.has(highId));
      const sides = { since: 1, disputed: false, lowSeenAt: 1, highSeenAt: null, highImport: null };
      const friendship = { lowId, highId, lowImport, ...sides };
      if (inside && (!seen || isSeenBy(seen, friendship))) yield [friendship];
    }
  }

  async *people({ import: seen, people }: ExportScope): AsyncIterable<ExportedPerson[]> {
    const ids = people ?? new Set([...this.pairs.flatMap(([low, high]) => [low, high]), ...this.lone]);
    for (const id of ids) {
      await this.beforePage();
      yield [
        {
          id,
          member: !seen || seen.people.has(id) || seen.lists.has(id),
          state: 'active',
          profile: {},
          observedAt: 1,
        },
      ];
    }
  }

  async *friendsOf(_graph: unknown, people: readonly string[]): AsyncIterable<string[]> {
    for (const [low, high] of this.pairs) {
      if (people.includes(low)) yield [high];
      if (people.includes(high)) yield [low];
    }
  }
}

export class InMemoryExportMeter extends ExportMeter {
  readonly seen: unknown[][] = [];

  requested(format: ExportFormat): void {
    this.seen.push(['requested', format]);
  }

  ended(format: ExportFormat, end: ExportEnd, seconds: number, bytes: number): void {
    this.seen.push([end, format, seconds, bytes]);
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
