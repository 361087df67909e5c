/**
 * When something was seen, comparable across workers: the pool's clock at the grant of the lease plus the
 * monotonic time elapsed since, and the lease's fence for ties (DESIGN 5, "what wins").
 */
export interface ObservationStamp {
  /** Milliseconds since the Unix epoch on the pool's clock. */
  observedAt: number;
  fence: number;
}

/** Negative when `a` is older than `b`, positive when newer, 0 when they are the same observation. */
export function compareStamps(a: ObservationStamp, b: ObservationStamp): number {
  return a.observedAt - b.observedAt || a.fence - b.fence;
}
