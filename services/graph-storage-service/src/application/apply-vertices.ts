import { vertexKey } from '@sociograph/contracts';
import { tooContended } from '../domain/errors';
import type { PersonObservation, PersonRef } from '../domain/observation';
import { decideVertex, type Vertex, type VertexDecision } from '../domain/vertex';
import type { Confirmations } from './confirmations';
import { backOff, MAX_ATTEMPTS, type WritingTools } from './write-friendships';

/** All looks of a batch at one group or post. */
export interface SeenVertex {
  kind: Vertex['kind'];
  ref: PersonRef;
  documents: readonly PersonObservation[];
}

/** Merges looks at groups and posts into the graph. Returns what is to be published. */
export async function applyVertices(
  seen: readonly SeenVertex[],
  confirmations: Confirmations,
  now: () => number,
  tools: WritingTools,
): Promise<Vertex[]> {
  const published: Vertex[] = [];
  for (const kind of ['group', 'post'] as const) {
    let pending = seen.filter((one) => one.kind === kind);
    for (let attempt = 1; pending.length > 0; attempt++) {
      if (attempt > MAX_ATTEMPTS) throw tooContended(pending.length, attempt - 1);
      if (attempt > 1) await backOff(attempt - 1, tools);
      const round = await applyRound(kind, pending, confirmations, now(), tools);
      published.push(...round.published);
      pending = round.pending;
    }
  }
  return published;
}

async function applyRound(
  kind: Vertex['kind'],
  seen: readonly SeenVertex[],
  confirmations: Confirmations,
  now: number,
  { store, meter }: WritingTools,
): Promise<{ published: Vertex[]; pending: SeenVertex[] }> {
  const keys = seen.map(({ ref }) => vertexKey(ref.workspaceId, ref.network, ref.id));
  const stored = await store.communities.vertices(kind, keys);
  const decided = seen.map(({ ref, documents }, i) => {
    const key = keys[i] as string;
    const before = stored.get(key) ?? { kind, ref, version: 0, changedAt: 0, document: undefined };
    return { key, ...decideVertex(before, confirmations.of(`${kind} ${key}`), documents, now) };
  });
  const writes = decided
    .filter(({ mustWrite }) => mustWrite)
    .map(({ vertex, key }) => ({ vertex, rev: stored.get(key)?.rev }));
  const conflicts = writes.length > 0 ? (await store.communities.writeVertices(kind, writes)).conflicts : [];
  meter.conflicts('vertex', conflicts.length);
  const lost = new Set(conflicts);
  const done = decided.filter(({ key }) => !lost.has(key));
  for (const { key, vertex, mustWrite, fates } of done) {
    if (mustWrite) confirmations.forget(`${kind} ${key}`);
    else confirmations.remember(`${kind} ${key}`, { document: vertex.document?.stamp });
    for (const { fate } of fates) meter.observation(kind, fate, 1);
  }
  return {
    published: done.filter(({ mustPublish }) => mustPublish).map(({ vertex }: VertexDecision) => vertex),
    pending: seen.filter((_, i) => lost.has(keys[i] as string)),
  };
}
