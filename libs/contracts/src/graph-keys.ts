export type VertexKind = 'user' | 'group' | 'post';

/** Key of a Kafka record about a vertex: `demo:vk:user:107`. */
export function recordKey(workspaceId: string, network: string, kind: VertexKind, id: string): string {
  return `${workspaceId}:${network}:${kind}:${id}`;
}

/** Key of the record that marks a partition's input as done where nothing changed. */
export function markerKey(partition: number): string {
  return `marker:${partition}`;
}

/** ArangoDB `_key` of a vertex: `demo.vk.107`. Dots cannot occur in any of the three parts. */
export function vertexKey(workspaceId: string, network: string, id: string): string {
  return `${workspaceId}.${network}.${id}`;
}

/**
 * The order of the two ends of a friendship: shorter id first, then by code point. For decimal ids without
 * leading zeros that is numeric order. Negative when `a` comes first.
 */
export function comparePersonIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** ArangoDB `_key` of the one edge between two people, whichever comes first: `demo.vk.58.107`. */
export function friendshipKey(workspaceId: string, network: string, a: string, b: string): string {
  const [low, high] = comparePersonIds(a, b) <= 0 ? [a, b] : [b, a];
  return `${workspaceId}.${network}.${low}.${high}`;
}
