import type { PersonProfile } from './items';

/** Topic -> partition -> next offset; the shape that the platform's contracts give positions. */
export type LogPositions = Record<string, Record<string, number>>;

/** Who saw something, when, and in which call. `observedAt` is on the pool's clock, ties go to the higher fence. */
export interface Sighting {
  readonly workspaceId: string;
  readonly network: string;
  readonly importId: string;
  readonly callId: string;
  readonly keyId: string;
  readonly observedAt: number;
  readonly fence: number;
}

export type Observation =
  | { kind: 'person'; person: string; state: 'active' | 'deleted' | 'banned'; profile: PersonProfile }
  | {
      kind: 'friend-list';
      person: string;
      outcome: 'complete' | 'partial' | 'private' | 'hidden' | 'deleted';
      friendIds: string[];
      /** What the network claims, where that is not the number of ids. */
      total?: number;
    };
