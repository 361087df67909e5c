import { hasEnded, ProgressDisplay, progressLine, watchImport } from '@sociograph/api-client';
import type { FleetApi, ImportView } from '@sociograph/api-client';

export interface WatchedOrder {
  seeds: string[];
  depth: number | undefined;
  limitPerSecond: number;
}

/** Starts the import and shows its progress until it is final, with the calls that the simulator really served. */
export async function importAndWatch(api: FleetApi, order: WatchedOrder): Promise<ImportView> {
  const created = await api.startImport(order);
  const startedAt = performance.now();
  const display = new ProgressDisplay(process.stdout);
  let previous: { served: number; at: number } | undefined;
  for await (const view of watchImport(api, created.id)) {
    const { totals } = await api.stats();
    const now = performance.now();
    const perSecond =
      previous === undefined || now === previous.at
        ? 0
        : ((totals.served - previous.served) * 1000) / (now - previous.at);
    previous = { served: totals.served, at: now };
    const rate = { perSecond, limitPerSecond: order.limitPerSecond };
    display.show(progressLine({ view, rate, elapsedMs: now - startedAt }), hasEnded(view));
    if (hasEnded(view)) return view;
  }
  throw new Error('The watching of the import ended before the import.');
}
