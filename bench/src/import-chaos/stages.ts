/** What the parser processes measured of themselves, summed over them. */
export interface Stages {
  /** Mean milliseconds of each stage of a call, and how often it was measured. */
  readonly ms: Readonly<Record<string, { mean: number; count: number }>>;
  /** Slots in which nothing was sent, by cause. */
  readonly slotsLost: Readonly<Record<string, number>>;
}

const STAGES = ['parser_call_seconds', 'parser_lease_wait_seconds', 'parser_store_seconds'];

/** From texts of `/metrics`, one of each process, since those of `before`. */
export function stagesOf(texts: readonly string[], before: readonly string[] = []): Stages {
  const sums = new Map<string, number>();
  const add = (text: string, sign: number): void => {
    for (const line of text.split('\n')) {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const series = nameOf(name, labels);
      if (name !== '') sums.set(series, (sums.get(series) ?? 0) + sign * Number(value));
    }
  };
  for (const text of texts) add(text, 1);
  for (const text of before) add(text, -1);
  const ms: Record<string, { mean: number; count: number }> = {};
  const slotsLost: Record<string, number> = {};
  for (const [name, value] of sums) {
    const [metric = '', label = ''] = name.split(' ');
    if (metric === 'parser_slots_lost_total') slotsLost[label] = value;
    if (!STAGES.some((stage) => metric === `${stage}_count`)) continue;
    const sum = sums.get(name.replace('_count', '_sum')) ?? 0;
    const stage = metric.replace(/^parser_|_seconds_count$/g, '');
    ms[label === '' ? stage : label] = { mean: value === 0 ? 0 : (sum / value) * 1_000, count: value };
  }
  return { ms, slotsLost };
}

/** The metric and the one label that tells its series apart here. */
function nameOf(name: string, labels: string): string {
  const of = (label: string): string => new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
  return name === 'parser_slots_lost_total' ? `${name} ${of('cause')}` : `${name} ${of('step')}`;
}
