import type { DeclaredMetric } from './declared-metrics';

/** The metrics of a text that a program answers /metrics with. Labels are those of its samples, `le` left out. */
export function metricsOfExposition(text: string): DeclaredMetric[] {
  const found = new Map<string, DeclaredMetric>();
  const help = new Map<string, string>();
  for (const line of text.split('\n')) {
    const about = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (about?.[1] === 'HELP') help.set(about[2] as string, about[3] as string);
    if (about?.[1] === 'TYPE') {
      const [, , name, type] = about as unknown as [string, string, string, DeclaredMetric['type']];
      found.set(name, { name, type, meaning: help.get(name) ?? '', labels: [] });
    }
    const sample = /^([a-z][a-z0-9_]*?)(_bucket|_sum|_count)?\{(.*)\} /.exec(line);
    const metric = sample && (found.get(`${sample[1]}${sample[2] ?? ''}`) ?? found.get(sample[1] as string));
    if (metric) metric.labels = [...new Set([...metric.labels, ...labelsIn(sample?.[3] as string)])];
  }
  return [...found.values()];
}

function labelsIn(text: string): string[] {
  return [...text.matchAll(/([a-z_]+)="/g)]
    .map(([, label]) => label as string)
    .filter((name) => name !== 'le');
}
