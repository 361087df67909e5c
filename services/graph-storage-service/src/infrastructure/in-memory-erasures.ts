import { wallOwnerOf } from '@sociograph/contracts';
import { personKey } from '../application/side-changes';
import type { Erasure, Findings } from '../domain/erasure';
import { ErasureLog, Erasures } from '../domain/erasure-ports';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import type { SourcePositions, Versioned } from '../domain/ports';
import type { Vertex } from '../domain/vertex';
import type { InMemoryGraph } from './in-memory';

/** People looked at in one go: small, so that a few people make several pages. */
const PEOPLE_PER_LOOK = 2;

/** Receipts in memory, over a graph in memory. */
export class InMemoryErasures extends Erasures {
  readonly stored = new Map<string, Versioned<Erasure>>();
  compactions = 0;
  #revision = 0;

  constructor(private readonly graph: InMemoryGraph) {
    super();
  }

  async begin(erasure: Erasure): Promise<Erasure> {
    const known = this.stored.get(erasure.id);
    if (known) return known;
    this.stored.set(erasure.id, { ...erasure, rev: this.#next() });
    return erasure;
  }

  async find(workspaceId: string, id: string): Promise<Erasure | undefined> {
    const found = this.stored.get(id);
    return found?.workspaceId === workspaceId ? found : undefined;
  }

  async page(workspaceId: string, limit: number, after: string | undefined): Promise<Erasure[]> {
    return [...this.stored.values()]
      .filter((erasure) => erasure.workspaceId === workspaceId && erasure.id > (after ?? ''))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  async erasing(limit: number): Promise<Versioned<Erasure>[]> {
    return this.#all(({ state }) => state === 'erasing').slice(0, limit);
  }

  async waiting(limit: number): Promise<Versioned<Erasure>[]> {
    return this.#all(({ state, personId }) => state === 'waiting' && personId !== undefined)
      .sort((a, b) => (a.checkedAt ?? 0) - (b.checkedAt ?? 0))
      .slice(0, limit);
  }

  async nameless(limit: number): Promise<Versioned<Erasure>[]> {
    return this.#all(({ state, personId }) => state === 'waiting' && personId === undefined).slice(0, limit);
  }

  async open(): Promise<number> {
    return this.#all(({ state }) => state !== 'complete').length;
  }

  async save(erasure: Erasure, rev: string): Promise<string | undefined> {
    if (this.stored.get(erasure.id)?.rev !== rev) return undefined;
    const next = this.#next();
    this.stored.set(erasure.id, { ...erasure, rev: next });
    return next;
  }

  async holders(
    { workspaceId, network, id }: PersonRef,
    after: string | undefined,
  ): Promise<{ people: Versioned<Person>[]; next: string | undefined }> {
    const looked = [...this.graph.people]
      .filter(([key]) => key.startsWith(`${workspaceId}.${network}.`) && key > (after ?? ''))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, PEOPLE_PER_LOOK);
    const holding = looked.filter(([, { list }]) => list.base?.ids.includes(id) || list.added.has(id));
    return {
      people: holding.map(([, person]) => person),
      next: looked.length < PEOPLE_PER_LOOK ? undefined : looked.at(-1)?.[0],
    };
  }

  async people(keys: readonly string[]): Promise<Map<string, Versioned<Person>>> {
    return (await this.graph.read(keys)).people;
  }

  async removeEdges({ id }: PersonRef): Promise<number> {
    return removeWhere(this.graph.edges, ({ lowId, highId }) => lowId === id || highId === id);
  }

  async removeHistory({ id }: PersonRef): Promise<number> {
    return removeWhere(this.graph.past, ({ lowId, highId }) => lowId === id || highId === id);
  }

  async posts(
    { workspaceId, network, id }: PersonRef,
    after: string | undefined,
  ): Promise<{ own: string[]; repeating: Versioned<Vertex>[]; next: string | undefined }> {
    const looked = [...this.graph.communities.things.post]
      .filter(([key]) => key.startsWith(`${workspaceId}.${network}.`) && key > (after ?? ''))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, PEOPLE_PER_LOOK);
    const own = looked.filter(([, post]) => isOwn(post, id));
    const repeating = looked.filter(([, post]) => !isOwn(post, id) && repeatsOneOf(post, id));
    return {
      own: own.map(([, { ref }]) => ref.id),
      repeating: repeating.map(([, post]) => post),
      next: looked.length < PEOPLE_PER_LOOK ? undefined : looked.at(-1)?.[0],
    };
  }

  async removePosts({ workspaceId, network }: PersonRef, ids: readonly string[]): Promise<number> {
    const { post } = this.graph.communities.things;
    return ids.filter((id) => post.delete(personKey({ workspaceId, network, id }))).length;
  }

  async removeVertex(person: PersonRef): Promise<number> {
    return this.graph.people.delete(personKey(person)) ? 1 : 0;
  }

  async compact(): Promise<void> {
    this.compactions += 1;
  }

  #all(when: (erasure: Erasure) => boolean): Versioned<Erasure>[] {
    return [...this.stored.values()].filter(when);
  }

  #next(): string {
    this.#revision += 1;
    return String(this.#revision);
  }
}

/** What was told to the logs, in order; `findings` is what looking into them finds. */
export class InMemoryErasureLog extends ErasureLog {
  readonly told: string[] = [];
  readonly published: Person[] = [];
  findings: Findings = {
    views: true,
    queues: false,
    'change-log': true,
    'observation-log': true,
    'dead-letters': true,
  };

  async suppress({ mark }: Erasure): Promise<void> {
    this.told.push(`suppress ${mark.slice(0, 4)}`);
  }

  async publish(people: readonly Person[], posts: readonly Vertex[] = []): Promise<void> {
    this.published.push(...people);
    for (const { ref, version } of [...people, ...posts]) this.told.push(`publish ${ref.id} ${version}`);
  }

  async bury({ id }: PersonRef, posts: readonly string[]): Promise<void> {
    this.told.push(['bury', id, ...posts].join(' '));
  }

  async ends(): Promise<SourcePositions> {
    return { changes: { '0': this.told.length } };
  }

  async look(erasures: readonly Erasure[]): Promise<Map<string, Findings>> {
    this.told.push(`look ${erasures.length}`);
    return new Map(erasures.map(({ id }) => [id, this.findings]));
  }

  async nudge(erasures: readonly Erasure[]): Promise<void> {
    this.told.push(`nudge ${erasures.length}`);
  }
}

function isOwn({ document }: Vertex, id: string): boolean {
  const { ownerKind, ownerId, authorId } = document?.content as Record<string, string | undefined>;
  return authorId === id || (ownerKind === 'user' && ownerId === id);
}

function repeatsOneOf({ document }: Vertex, id: string): boolean {
  const { repostOf } = document?.content as { repostOf?: string };
  return repostOf !== undefined && wallOwnerOf(repostOf) === id;
}

function removeWhere<T>(from: Map<string, T>, gone: (value: T) => boolean): number {
  const keys = [...from].filter(([, value]) => gone(value)).map(([key]) => key);
  for (const key of keys) from.delete(key);
  return keys.length;
}
