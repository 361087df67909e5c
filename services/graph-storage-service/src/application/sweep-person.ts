import { vertexKey } from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import type { Erasure, Swept, Touched } from '../domain/erasure';
import type { ErasureLog, Erasures } from '../domain/erasure-ports';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import type { GraphStore, Versioned } from '../domain/ports';
import type { Vertex } from '../domain/vertex';
import { personKey } from './side-changes';
import { withoutPerson, withoutRepeat } from './without-person';

/** What others keep changing is left to the next sweep after so many tries. */
const TRIES = 10;
/** States published in one go; each may be 350 KB. */
const STATES_AT_ONCE = 200;

/** What is about to be changed, saved first; false when another process works on the erasure. */
export type Announce = (touched: Partial<Touched>) => Promise<boolean>;

/** One sweep: takes a person out of the graph and tells the log. Repeating it, or two at once, does no harm. */
export class SweepPerson {
  constructor(
    private readonly erasures: Erasures,
    private readonly log: ErasureLog,
    private readonly store: Pick<GraphStore, 'writePeople' | 'communities'>,
    private readonly clock: Clock,
  ) {}

  /** What it found, by place; undefined when another process works on the erasure. */
  async execute(
    { workspaceId, network, touched }: Erasure,
    personId: string,
    announce: Announce,
  ): Promise<Swept | undefined> {
    const person = { workspaceId, network, id: personId };
    // By sweeps before this one, which may have died before publishing or been overtaken in the log by older states.
    await this.#publishPeople(touched.people);
    await this.#publishPosts(person, touched.repeats);
    const lists = await this.#leaveLists(person, announce);
    const posts = lists === undefined ? undefined : await this.#leavePosts(person, announce);
    if (lists === undefined || posts === undefined) return undefined;
    // Edges lead to nobody before the vertex goes.
    const edges = await this.erasures.removeEdges(person);
    const history = await this.erasures.removeHistory(person);
    const vertex = await this.erasures.removeVertex(person);
    await this.log.bury(person, [...new Set([...touched.posts, ...posts.own])]);
    return { 'lists-of-others': lists, posts: posts.found, edges, history, vertex };
  }

  /** Publishes whoever's list held the person again, without them. */
  async #leaveLists(person: PersonRef, announce: Announce): Promise<number | undefined> {
    let left = 0;
    let after: string | undefined;
    do {
      const page = await this.erasures.holders(person, after);
      const keys = page.people.map(({ ref }) => personKey(ref));
      if (keys.length > 0) {
        if (!(await announce({ people: keys }))) return undefined;
        await this.#rewritePeople(person, page.people);
        await this.#publishPeople(keys);
        left += keys.length;
      }
      after = page.next;
    } while (after !== undefined);
    return left;
  }

  /** Removes the person's posts; those of others that repeat one no longer say which. */
  async #leavePosts(
    person: PersonRef,
    announce: Announce,
  ): Promise<{ own: string[]; found: number } | undefined> {
    const removed: string[] = [];
    let found = 0;
    let after: string | undefined;
    do {
      const { own, repeating, next } = await this.erasures.posts(person, after);
      const repeats = repeating.map(({ ref }) => ref.id);
      if (own.length + repeats.length > 0) {
        if (!(await announce({ posts: own, repeats }))) return undefined;
        await this.#rewritePosts(person, repeating);
        await this.#publishPosts(person, repeats);
        await this.erasures.removePosts(person, own);
        removed.push(...own);
        found += own.length + repeats.length;
      }
      after = next;
    } while (after !== undefined);
    return { own: removed, found };
  }

  async #rewritePeople(person: PersonRef, holders: readonly Versioned<Person>[]): Promise<void> {
    let pending = holders;
    for (let attempt = 1; pending.length > 0 && attempt <= TRIES; attempt++) {
      const now = this.clock.nowMs();
      const writes = pending.map(({ rev, ...holder }) => ({
        person: withoutPerson(holder, person.id, now),
        rev,
      }));
      const { conflicts } = await this.store.writePeople(writes);
      pending = conflicts.length === 0 ? [] : [...(await this.erasures.people(conflicts)).values()];
    }
  }

  async #rewritePosts(person: PersonRef, repeating: readonly Versioned<Vertex>[]): Promise<void> {
    const { communities } = this.store;
    let pending = repeating;
    for (let attempt = 1; pending.length > 0 && attempt <= TRIES; attempt++) {
      const now = this.clock.nowMs();
      const writes = pending.map(({ rev, ...post }) => ({ vertex: withoutRepeat(post, now), rev }));
      const { conflicts } = await communities.writeVertices('post', writes);
      pending = conflicts.length === 0 ? [] : [...(await communities.vertices('post', conflicts)).values()];
    }
  }

  async #publishPeople(keys: readonly string[]): Promise<void> {
    await publishNewest(
      keys,
      (some) => this.erasures.people(some),
      (people) => this.log.publish(people),
    );
  }

  async #publishPosts({ workspaceId, network }: PersonRef, ids: readonly string[]): Promise<void> {
    await publishNewest(
      ids.map((id) => vertexKey(workspaceId, network, id)),
      (some) => this.store.communities.vertices('post', some),
      (posts) => this.log.publish([], posts),
    );
  }
}

/** As stored now. Who was changed meanwhile is published again: the newest state must be the last in the log. */
async function publishNewest<T extends { version: number }>(
  keys: readonly string[],
  read: (keys: readonly string[]) => Promise<Map<string, Versioned<T>>>,
  publish: (states: T[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < keys.length; at += STATES_AT_ONCE) {
    const published = new Map<string, number>();
    for (let pending = keys.slice(at, at + STATES_AT_ONCE); pending.length > 0;) {
      const stored = await read(pending);
      const newer = [...stored].filter(([key, { version }]) => published.get(key) !== version);
      if (newer.length > 0) await publish(newer.map(([, { rev: _, ...state }]) => state as unknown as T));
      for (const [key, { version }] of newer) published.set(key, version);
      pending = newer.map(([key]) => key);
    }
  }
}
