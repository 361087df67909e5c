import type { OwnList } from '../domain/own-list';
import type { Person } from '../domain/person';
import type { Vertex } from '../domain/vertex';

/**
 * The person's state with somebody taken out of the lists of people; its version rises, its observations stay what they
 * were. The very same object when no list holds them.
 */
export function withoutPerson(holder: Person, id: string, now: number): Person {
  const list = leave(holder.list, id);
  const followed = holder.subscriptions?.people;
  const people = followed && leave(followed, id);
  if (list === holder.list && people === followed) return holder;
  return {
    ...holder,
    list,
    ...(people && { subscriptions: { ...holder.subscriptions, people } }),
    version: holder.version + 1,
    changedAt: now,
  };
}

/** The post as if it repeated none. */
export function withoutRepeat(post: Vertex, now: number): Vertex {
  if (!post.document) return post;
  const { repostOf: _, ...content } = post.document.content as { repostOf?: string };
  return { ...post, document: { ...post.document, content }, version: post.version + 1, changedAt: now };
}

function leave(list: OwnList, id: string): OwnList {
  const { base, added } = list;
  if (!base?.ids.includes(id) && !added.has(id)) return list;
  return {
    base: base && { ...base, ids: base.ids.filter((other) => other !== id) },
    added: new Map([...added].filter(([other]) => other !== id)),
  };
}
