/** Shapes of answers, reduced to what programs on top of this lib read; services/<name>/openapi.json has all of them. */
export type ImportState = 'queued' | 'running' | 'paused' | 'settling' | 'completed' | 'cancelled' | 'failed';

export interface Counted {
  known: number;
  done: number;
}

export interface ImportView {
  id: string;
  state: ImportState;
  /** `known` and `done` of each kind of item; what an import does not fetch may be absent. */
  counters: {
    people: Counted;
    lists: Counted;
    calls: { made: number };
    friendshipObservations: number;
  };
  frontierClosed: boolean;
  /** Milliseconds that are left, where the fleet tells it. */
  etaMs?: number | null;
  positions?: string;
}

export interface StartedImportView {
  id: string;
  state: ImportState;
  forecast: { calls: number; keyTimeMs: number; etaMs: number | null };
}

export interface SummaryView {
  users: number;
  friendships: number;
  triangles: number;
  averageClustering: number;
  transitivity: number;
  closedTriangleFraction: number;
  components: { count: number; largest: number };
}

/** What an import expected, what it got, and why something is missing. */
export interface CertificateView {
  final: boolean;
  expected: { people: number; lists: number };
  got: { people: number; lists: number };
  open: { people: number; lists: number };
  gaps: { what: string; cause: string; count: number; people: string[] }[];
}

/** What the VK simulator counted; `seconds` lie between the first and the last call that it served. */
export interface SimulatorStats {
  totals: { served: number; refused: number; overBudget: number; seconds: number };
}
