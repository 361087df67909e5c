import type { PersonRef } from './observation';
import { NOTHING_KNOWN } from './own-list';
import { decide, type Confirmation, type Decision, type PersonDocument } from './person';
import type { PersonObservation } from './observation';

/** A group or a post as stored: the newest that was seen of it. Version 0 is not stored yet. */
export interface Vertex<Content = unknown> {
  kind: 'group' | 'post';
  ref: PersonRef;
  version: number;
  changedAt: number;
  document: PersonDocument<Content> | undefined;
}

export interface VertexDecision {
  vertex: Vertex;
  mustWrite: boolean;
  mustPublish: boolean;
  fates: Decision['fates'];
}

/** Applies all looks of a batch at one group or post to what is stored of it; the newest wins, as for people. */
export function decideVertex(
  stored: Vertex,
  confirmation: Confirmation,
  documents: readonly PersonObservation[],
  now: number,
): VertexDecision {
  const before = { ...stored, list: NOTHING_KNOWN };
  const { person, mustWrite, mustPublish, fates } = decide(
    before,
    confirmation,
    { documents, lists: [] },
    now,
  );
  const { ref, version, changedAt, document } = person;
  return { vertex: { kind: stored.kind, ref, version, changedAt, document }, mustWrite, mustPublish, fates };
}
