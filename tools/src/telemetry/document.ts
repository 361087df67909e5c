import type { DeclaredMetric } from './declared-metrics';
import { HOSTED, OF_NODE, OF_SERVERS, SHARED } from './processes';

export interface RecordedSeries {
  name: string;
  expression: string;
}

export interface Telemetry {
  /** Metrics of files of libs, by the file's path. */
  shared: ReadonlyMap<string, readonly DeclaredMetric[]>;
  /** Metrics that one program alone shows. */
  own: ReadonlyMap<string, readonly DeclaredMetric[]>;
  recorded: readonly RecordedSeries[];
}

const HEAD = `# Telemetry

Written from the sources by \`npm run gen\`; do not edit. The meanings are the help texts of the metrics. \`e2e/telemetry.spec.ts\`
asks every running process: one that shows a metric which is not here, or none of one that is here, fails.

Every process answers \`/metrics\` on its management port (the gateway on its status port), which the gateway does not
route. Every series has the labels \`service\` and \`instance\`. No label is an id of a person, an import or a request; an id
of a key stands in three metrics, for the first keys only. \`/metrics\` is OpenMetrics for who asks for it: then buckets of
histograms name the trace that was counted in them last (\`trace_id\`). The boards of \`infra/grafana\` are made of these series.
`;

/** Markdown; throws when a lib declares metrics that nobody is said to show, or is said to and declares none. */
export function telemetryDocument({ shared, own, recorded }: Telemetry): string {
  const known = new Set(Object.keys(SHARED));
  for (const [file, metrics] of shared)
    if (metrics.length > 0 && !known.delete(file)) throw new Error(`Who shows the metrics of ${file}?`);
  if (known.size > 0) throw new Error(`No metrics are declared in ${[...known].join(', ')}.`);
  const common = [...shared].flatMap(([file, metrics]) =>
    metrics.map((metric) => ({ ...metric, by: (SHARED[file] as readonly string[]).join(', ') })),
  );
  const parts = [
    HEAD,
    '## Every process of Node\n',
    `Shown by ${HOSTED.join(', ')}.\n`,
    table(
      OF_NODE.map(([type, name, labels, meaning]) => ({
        ...{ name, type, meaning },
        labels: labels === '' ? [] : labels.split(', '),
      })),
    ),
    '## Several processes\n',
    '| metric | type | labels | shown by | meaning |\n| --- | --- | --- | --- | --- |',
    ...byName(common).map((metric) => `${start(metric)} ${metric.by} | ${cell(metric.meaning)} |`),
    '',
    ...[...own].flatMap(([name, metrics]) => [`## ${name}\n`, table(byName(metrics))]),
    '## Recorded by Prometheus\n',
    '| series | from |\n| --- | --- |',
    ...recorded.map(({ name, expression }) => `| \`${name}\` | \`${cell(expression)}\` |`),
    '\n## Of the servers\n',
    'Those that boards and rules use.\n',
    '| series | of | meaning |\n| --- | --- | --- |',
    ...OF_SERVERS.map(([name, server, meaning]) => `| \`${name}\` | ${server} | ${meaning} |`),
  ];
  return `${parts.join('\n')}\n`;
}

function table(metrics: readonly DeclaredMetric[]): string {
  const rows = metrics.map((metric) => `${start(metric)} ${cell(metric.meaning)} |`);
  return ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function start({ name, type, labels }: DeclaredMetric): string {
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

function byName<M extends DeclaredMetric>(metrics: readonly M[]): M[] {
  return metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
