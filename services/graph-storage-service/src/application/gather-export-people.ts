import { comparePersonIds } from '@sociograph/contracts';
import { ExportSource, type ExportScope } from '../domain/export-ports';

/**
 * The people within `depth` steps of one, at most `nodes` of them: ring by ring, within a ring by id. `complete` is
 * false when some within the distance were left out. Memory grows with a ring and all its friends.
 */
export async function gatherExportPeople(
  source: ExportSource,
  graph: Pick<ExportScope, 'workspaceId' | 'network'>,
  { person, depth, nodes }: { person: string; depth: number; nodes: number },
): Promise<{ people: Set<string>; complete: boolean }> {
  const people = new Set([person]);
  let ring = [person];
  for (let distance = 1; distance <= depth && ring.length > 0; distance++) {
    const found = new Set<string>();
    for await (const friends of source.friendsOf(graph, ring)) {
      for (const id of friends) if (!people.has(id)) found.add(id);
    }
    ring = [...found].sort(comparePersonIds).slice(0, nodes - people.size);
    for (const id of ring) people.add(id);
    if (ring.length < found.size) return { people, complete: false };
  }
  return { people, complete: true };
}
