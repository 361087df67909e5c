import { reportConnections, type GaugeRegistry } from './report-connections';

/** A registry that, as ours does, makes a gauge once and gives the same one to who asks again. */
function aRegistry() {
  const values = new Map<string, number>();
  let scrape: (() => void) | undefined;
  const registry: GaugeRegistry = {
    gauge: (name, _help, _labels, onScrape) => {
      scrape ??= () =>
        onScrape({ set: ({ pool, state }, value) => values.set(`${name} ${pool} ${state}`, value) });
    },
  };
  const scraped = (): Record<string, number> => {
    scrape?.();
    return Object.fromEntries(values);
  };
  return { registry, scraped };
}

describe('reportConnections', () => {
  it('shows busy, idle and waiting of every pool, also of one that is told of later', () => {
    const { registry, scraped } = aRegistry();
    reportConnections(registry, { app: { load: { total: 4, idle: 1, waiting: 2 } } });
    reportConnections(registry, { worker: { load: { total: 0, idle: 0, waiting: 0 } } });
    expect(scraped()).toEqual({
      'postgres_connections app busy': 3,
      'postgres_connections app idle': 1,
      'postgres_connections app waiting': 2,
      'postgres_connections worker busy': 0,
      'postgres_connections worker idle': 0,
      'postgres_connections worker waiting': 0,
    });
  });

  it('keeps the pools of two registries apart', () => {
    const [one, other] = [aRegistry(), aRegistry()];
    reportConnections(one.registry, { app: { load: { total: 1, idle: 1, waiting: 0 } } });
    reportConnections(other.registry, { worker: { load: { total: 1, idle: 1, waiting: 0 } } });
    expect(Object.keys(one.scraped()).every((name) => name.includes(' app '))).toBe(true);
  });
});
