import type { ObservationStamp } from '@sociograph/kernel';

/** Whom an observation is about. */
export interface PersonRef {
  workspaceId: string;
  network: string;
  id: string;
}

/** Which call, under which import and key, saw a thing. */
export interface Lineage {
  importId: string;
  callId: string;
  keyId?: string | undefined;
}

/**
 * What one look at a friend list says. `complete` replaces what the person asserted, `partial` only adds,
 * `deleted` ends it, `nothing` (private, hidden, an error) changes no assertion.
 */
export interface ListObservation {
  kind: 'complete' | 'partial' | 'deleted' | 'nothing';
  ids: readonly string[];
  stamp: ObservationStamp;
  source: Lineage;
}

/** What one look at a person says; `content` is stored and published as it is. */
export interface PersonObservation<Content = unknown> {
  content: Content;
  stamp: ObservationStamp;
  source: Lineage;
}

/** What became of an observation, for counting. */
export type ObservationFate = 'applied' | 'unchanged' | 'late' | 'nothing';
