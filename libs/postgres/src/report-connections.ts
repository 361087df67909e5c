/** The part of a registry of metrics that this lib uses. */
export interface GaugeRegistry {
  gauge(
    name: string,
    help: string,
    labels: readonly ('pool' | 'state')[],
    onScrape: (gauge: {
      set(labels: Partial<Record<'pool' | 'state', string | number>>, value: number): void;
    }) => void,
  ): unknown;
}

/** What a pool knows of itself without asking the server. */
export interface Loaded {
  readonly load: { total: number; idle: number; waiting: number };
}

/** By registry: a service opens its pools in several places, and a gauge has one function that sets it. */
const poolsOf = new WeakMap<GaugeRegistry, Map<string, Loaded>>();

/** Shows connections of these pools, by the names given, as `postgres_connections`. */
export function reportConnections(metrics: GaugeRegistry, pools: Readonly<Record<string, Loaded>>): void {
  const known = poolsOf.get(metrics) ?? new Map<string, Loaded>();
  poolsOf.set(metrics, known);
  for (const [name, pool] of Object.entries(pools)) known.set(name, pool);
  metrics.gauge(
    'postgres_connections',
    'Connections of a pool: busy, idle, and callers that wait for one; waiting for long means that the pool is too small or statements are slow',
    ['pool', 'state'],
    (gauge) => {
      for (const [pool, { load }] of known) {
        gauge.set({ pool, state: 'busy' }, load.total - load.idle);
        gauge.set({ pool, state: 'idle' }, load.idle);
        gauge.set({ pool, state: 'waiting' }, load.waiting);
      }
    },
  );
}
