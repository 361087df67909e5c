import { wallOwnerOf, type PayloadOf, type vertexChanged } from '@sociograph/contracts';

type Vertex = PayloadOf<typeof vertexChanged>;

/** Who is not to be known any more. */
export interface Erased {
  isSuppressed(workspaceId: string, network: string, id: string): boolean;
}

/** What may be shown of a vertex: nothing of an erased person, and nobody's list names one. */
export function visibleVertex(vertex: Vertex, erased: Erased): Vertex | undefined {
  const { workspaceId, network, kind, id, friends, follows, post } = vertex;
  const gone = (person: string | undefined): boolean =>
    person !== undefined && erased.isSuppressed(workspaceId, network, person);
  if (kind === 'user' && gone(id)) return undefined;
  if (post !== undefined) {
    const { ownerKind, ownerId, authorId, repostOf } = post.content;
    if (gone(authorId) || (ownerKind === 'user' && gone(ownerId))) return undefined;
    if (repostOf !== undefined && gone(wallOwnerOf(repostOf))) {
      const { repostOf: _, ...content } = post.content;
      return { ...vertex, post: { ...post, content } };
    }
  }
  const without = (list: Vertex['friends']): Vertex['friends'] =>
    list?.ids.some(gone) === true ? { ...list, ids: list.ids.filter((one) => !gone(one)) } : list;
  return {
    ...vertex,
    ...(friends === undefined ? {} : { friends: without(friends) }),
    ...(follows === undefined ? {} : { follows: without(follows) }),
  };
}
