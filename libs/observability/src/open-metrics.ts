import type { Registry } from 'prom-client';

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName?: string;
  exemplar?: { labelSet: Record<string, string>; value: number; timestamp: number } | null;
}

/**
 * The registry's metrics in the OpenMetrics format, which carries exemplars. prom-client's own renames the counters of
 * the registry when it writes them so, and adds `_total` to names without it: here every series keeps its name, and a
 * counter without the suffix is of type `unknown`, as the format wants it.
 */
export async function openMetricsText(registry: Registry): Promise<string> {
  const families = await registry.getMetricsAsJSON();
  const lines = families.flatMap(({ name, help, type, values }) => {
    const counts = String(type) === 'counter';
    const family = counts ? name.replace(/_total$/, '') : name;
    return [
      `# HELP ${family} ${escape(help)}`,
      `# TYPE ${family} ${counts && family === name ? 'unknown' : String(type)}`,
      ...(values as Sample[]).map((sample) => lineOf(name, sample)),
    ];
  });
  return [...lines, '# EOF', ''].join('\n');
}

function lineOf(name: string, { labels, value, metricName = name, exemplar }: Sample): string {
  const line = `${metricName}${labelsOf(labels)} ${numberOf(value)}`;
  if (exemplar === undefined || exemplar === null) return line;
  const { labelSet, value: observed, timestamp } = exemplar;
  return `${line} # ${labelsOf(labelSet, true)} ${numberOf(observed)} ${timestamp}`;
}

function labelsOf(labels: Record<string, string | number>, always = false): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escape(String(value))}"`);
  return parts.length === 0 && !always ? '' : `{${parts.join(',')}}`;
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function numberOf(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
