import type { FleetApi, ImportView, SimulatorStats } from '@sociograph/api-client';
import { progressLine } from './progress';

const POLL_MS = 400;
/** Lines of progress where the output is no terminal and a bar cannot be redrawn. */
const PLAIN_LINE_EVERY_MS = 5_000;
const FINAL = new Set(['completed', 'cancelled', 'failed']);

export interface ImportOrder {
  seeds: string[];
  depth: number | undefined;
  limitPerSecond: number;
}

/** Starts the import and shows its progress until it is final. */
export async function importAndWatch(api: FleetApi, order: ImportOrder): Promise<ImportView> {
  const created = await api.post<{
    id: string;
    forecast: { calls: number; keyTimeMs: number; etaMs: number };
  }>('/v1/imports', {
    network: 'vk',
    seeds: order.seeds,
    include: ['friends'],
    ...(order.depth === undefined ? {} : { depth: order.depth }),
  });
  const startedAt = performance.now();
  let lastPlainAt = 0;
  let previous: { served: number; at: number } | undefined;
  for (;;) {
    const [view, stats] = await Promise.all([
      api.get<ImportView>(`/v1/imports/${created.id}`),
      api.simulator<SimulatorStats>('/stats'),
    ]);
    const now = performance.now();
    const ratePerSecond =
      previous === undefined ? 0 : ((stats.totals.served - previous.served) * 1000) / (now - previous.at);
    previous = { served: stats.totals.served, at: now };
    const line = progressLine({
      view,
      limitPerSecond: order.limitPerSecond,
      ratePerSecond,
      elapsedMs: now - startedAt,
    });
    const final = FINAL.has(view.state);
    if (process.stdout.isTTY) {
      process.stdout.write(`\r\u001b[2K${line.slice(0, process.stdout.columns || 200)}`);
    } else if (final || now - lastPlainAt >= PLAIN_LINE_EVERY_MS) {
      lastPlainAt = now;
      console.log(line);
    }
    if (final) return view;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
