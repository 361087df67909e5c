/** When the pool stops asking a key, or a whole network, because calls fail without an answer. Milliseconds. */
export interface CircuitFigures {
  /** How long it is left alone at first; doubles with each probe that fails. */
  readonly baseMs: number;
  readonly capMs: number;
}

/** Of one key: opens after so many failures in a row, or when of the last half minute's calls that share failed. */
export const KEY_CIRCUIT = {
  inARow: 5,
  share: 0.5,
  /** Fewer calls than this say nothing about a share. The window itself (30 s) is the script's, in slices of 6 s. */
  leastCalls: 10,
  baseMs: 5_000,
  capMs: 300_000,
} as const satisfies CircuitFigures & Record<string, number>;

/**
 * Of a network: opens when the last call of more than half of its active keys failed, within ten seconds, and of at
 * least three keys. Shorter than a key's: one probe at a time costs a network nothing, and everyone waits for it.
 */
export const NETWORK_CIRCUIT = {
  leastKeys: 3,
  withinMs: 10_000,
  baseMs: 1_000,
  capMs: 30_000,
} as const satisfies CircuitFigures & Record<string, number>;

/** A token that is refused again so soon after a refresh is not worth another one (ms). */
export const REFRESH_AGAIN_MS = 600_000;
