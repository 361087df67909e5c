import type { GraphView } from './graph-view';
import type { GroupRow, PostRow, ProfileRow } from './ports';

/** Names of a list that come with what they stand for. */
export const NAMED_GROUPS = 50;

/** A person with the groups and posts that the row names. */
export interface Profile {
  row: ProfileRow;
  /** Those of the first fifty groups and fifty pages that are stored. */
  groups: GroupRow[];
  lastPosts: PostRow[];
}

/** Ids of the groups and pages that come with a profile, each once. */
export function namedGroups({ lists }: ProfileRow): string[] {
  const named = [lists.groups, lists.pages].flatMap((list) => list?.ids.slice(0, NAMED_GROUPS) ?? []);
  return [...new Set(named)];
}

/** What the rows of a person will say once they are written; undefined for somebody who is none. */
export function profileInMemory(
  view: GraphView,
  id: string,
  writer: number,
  at: number,
): Profile | undefined {
  const person = view.graph.numberOf(id);
  const row = person === undefined ? undefined : view.profileRow(person, writer, at);
  if (row === undefined || typeof row === 'string') return undefined;
  const { contents } = view;
  const groupOf = (group: string): GroupRow | undefined =>
    contents.row(`group:${group}`, writer, at) as GroupRow | undefined;
  const postOf = (post: string): PostRow | undefined =>
    contents.row(`post:${post}`, writer, at) as PostRow | undefined;
  return {
    row,
    groups: namedGroups(row).flatMap((group) => groupOf(group) ?? []),
    lastPosts: row.lastPosts.flatMap((post) => postOf(post) ?? []),
  };
}
