import { endKey, personKey, unansweredBy } from '../application/side-changes';
import { loneSide, type Friendship } from '../domain/friendship';
import type { PersonRef } from '../domain/observation';
import { byLastingLonger, pastKey, wasThere, type PastFriendship } from '../domain/past-friendship';
import { isComplete } from '../domain/own-list';
import type { Person } from '../domain/person';
import {
  ChangeLog,
  GraphQueries,
  GraphStore,
  StorageMeter,
  type ChangedFriendships,
  type DisputeEvidence,
  type EdgeWrites,
  type FriendshipPage,
  type FriendshipSpan,
  type ObservedKind,
  type SourcePositions,
  type Versioned,
  type WriteOutcome,
} from '../domain/ports';
import type { Vertex } from '../domain/vertex';
import { InMemoryCommunities } from './in-memory-communities';
import { VersionedMaps } from './versioned-maps';

/** The graph in memory, with revisions; `refuse` makes chosen writes conflict. */
export class InMemoryGraph extends GraphStore implements GraphQueries {
  readonly people = new Map<string, Versioned<Person>>();
  readonly edges = new Map<string, Versioned<Friendship>>();
  /** Friendships that are over. */
  readonly past = new Map<string, PastFriendship>();
  /** Documents written, by collection: an unchanged list must leave these alone. */
  readonly writes = { people: 0, edges: 0 };
  readonly communities: InMemoryCommunities;
  readonly #maps: VersionedMaps;

  constructor(refuse: () => boolean = () => false) {
    super();
    this.#maps = new VersionedMaps(refuse);
    this.communities = new InMemoryCommunities(refuse);
  }

  async read(keys: readonly string[]): ReturnType<GraphStore['read']> {
    const wanted = new Set(keys);
    const unanswered = [...this.edges.values()].filter((edge) => wanted.has(unansweredBy(edge) ?? ''));
    return {
      people: new Map(keys.flatMap((key) => entry(key, this.people.get(key)))),
      unanswered: new Map(unanswered.map((edge) => [edge.key, edge])),
    };
  }

  async friendships(keys: readonly string[]): Promise<Map<string, Versioned<Friendship>>> {
    return new Map(keys.flatMap((key) => entry(key, this.edges.get(key))));
  }

  async friendshipsOf(
    ref: PersonRef,
    { limit, after, at, disputed }: Parameters<GraphQueries['friendshipsOf']>[1],
  ): Promise<FriendshipPage> {
    const all = this.#stretchesOf(ref, after)
      .filter((one) => (at === undefined ? !('until' in one) : wasThere(one, at)))
      .filter(
        (one) => disputed === undefined || ('deniedAt' in one && one.deniedAt !== undefined) === disputed,
      );
    const told = new Map(all.sort((a, b) => byLastingLonger(b, a)).map((one) => [one.key, one]));
    return page([...told.values()], limit);
  }

  async changedFriendships(
    ref: PersonRef,
    { from, to, limit, after }: FriendshipSpan,
  ): Promise<ChangedFriendships> {
    const all = this.#stretchesOf(ref, after);
    const keysAt = (at: number): Set<string> =>
      new Set(all.filter((one) => wasThere(one, at)).map(({ key }) => key));
    const [before, now] = [keysAt(from), keysAt(to)];
    const changed = [...new Map(all.map((one) => [one.key, one])).values()]
      .filter(({ key }) => before.has(key) !== now.has(key))
      .map(({ key, lowId, highId }) => ({
        key,
        lowId,
        highId,
        change: now.has(key) ? ('added' as const) : ('removed' as const),
      }));
    return page(changed, limit);
  }

  #stretchesOf(ref: PersonRef, after: string | undefined): (Friendship | PastFriendship)[] {
    const self = personKey(ref);
    return [...this.edges.values(), ...this.past.values()]
      .filter((one) => endKey(one, 'low') === self || endKey(one, 'high') === self)
      .filter(({ key }) => after === undefined || key > after);
  }

  async person(ref: PersonRef): Promise<Person | undefined> {
    return this.people.get(personKey(ref));
  }

  async writeFriendships({ create, replace, remove }: EdgeWrites): Promise<WriteOutcome> {
    const outcome: WriteOutcome = { written: 0, conflicts: [] };
    for (const edge of create) this.#maps.put(this.edges, edge.key, edge, undefined, outcome);
    for (const edge of replace) this.#maps.put(this.edges, edge.key, edge, edge.rev, outcome);
    for (const { key, rev, past } of remove) {
      if (past) this.past.set(pastKey(past), past);
      this.#maps.put(this.edges, key, undefined, rev, outcome);
    }
    this.writes.edges += outcome.written;
    return outcome;
  }

  async writePeople(people: readonly { person: Person; rev: string | undefined }[]): Promise<WriteOutcome> {
    const outcome: WriteOutcome = { written: 0, conflicts: [] };
    for (const { person, rev } of people)
      this.#maps.put(this.people, personKey(person.ref), person, rev, outcome);
    this.writes.people += outcome.written;
    return outcome;
  }

  async disputeEvidence(people: readonly string[], others: readonly string[]): Promise<DisputeEvidence> {
    const wanted = new Set(people);
    const edges = [...this.edges.values()];
    const complete = others.flatMap((key) => {
      const list = this.people.get(key)?.list;
      return list?.base && isComplete(list) ? [[key, list.base.stamp] as const] : [];
    });
    return {
      unanswered: edges.filter((edge) => wanted.has(unansweredBy(edge) ?? '')),
      disputed: edges.filter((edge) => {
        const lone = loneSide(edge);
        return lone !== undefined && edge.deniedAt !== undefined && wanted.has(endKey(edge, lone));
      }),
      completeLists: new Map(complete),
    };
  }
}

export class InMemoryChangeLog extends ChangeLog {
  readonly batches: {
    changes: readonly Person[];
    partition: number;
    source: SourcePositions;
    vertices: readonly Vertex[];
  }[] = [];
  /** Thrown instead of publishing, once. */
  failNext: Error | undefined;

  async publish(
    changes: readonly Person[],
    partition: number,
    source: SourcePositions,
    vertices: readonly Vertex[] = [],
  ): Promise<void> {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure) throw failure;
    this.batches.push({ changes, partition, source, vertices });
  }
}

export class InMemoryMeter extends StorageMeter {
  readonly counts: Record<string, number> = {};

  observation(kind: ObservedKind, fate: string, count: number): void {
    this.#add(`${kind} ${fate}`, count);
  }

  friendships(action: string, count: number): void {
    this.#add(`friendships ${action}`, count);
  }

  subscriptions(action: string, count: number): void {
    this.#add(`subscriptions ${action}`, count);
  }

  conflicts(of: string, count: number): void {
    this.#add(`conflicts ${of}`, count);
  }

  published(kind: string, count: number): void {
    this.#add(`published ${kind}`, count);
  }

  #add(name: string, count: number): void {
    if (count > 0) this.counts[name] = (this.counts[name] ?? 0) + count;
  }
}

function page<T extends { key: string }>(all: T[], limit: number): { items: T[]; next: string | undefined } {
  const items = all.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
  return { items, next: all.length > limit ? items.at(-1)?.key : undefined };
}

function entry<T>(key: string, value: T | undefined): [string, T][] {
  return value === undefined ? [] : [[key, value]];
}
