import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../repository';
import { declaredMetrics, type DeclaredMetric } from './declared-metrics';
import { type RecordedSeries, telemetryDocument } from './document';
import { metricsOfExposition } from './exposition';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const isSource = (path: string): boolean =>
  path.includes('/src/') && path.endsWith('.ts') && !path.endsWith('.spec.ts');

/** Writes docs/telemetry.md. */
function main(): void {
  const shared = new Map(filesBelow('libs', isSource).map((path) => [path, declaredMetrics(read(path))]));
  const own = new Map<string, DeclaredMetric[]>();
  for (const folder of [
    ...readdirSync(join(ROOT, 'services')).map((name) => `services/${name}`),
    'analytics',
  ])
    own.set(
      folder.replace('services/', ''),
      filesBelow(folder, isSource).flatMap((path) => declaredMetrics(read(path))),
    );
  for (const [name, text] of gatewayTexts()) own.set(name, metricsOfExposition(text));
  writeFileSync(join(ROOT, 'docs/telemetry.md'), telemetryDocument({ shared, own, recorded: recorded() }));
}

/** The gateway writes its text itself, with the names of Kong; it is asked for it, with one request made up. */
function gatewayTexts(): [string, string][] {
  const { TrafficMetrics } = load('embedded/traffic-metrics.js') as {
    TrafficMetrics: new (targets: () => object[]) => { add(traffic: object): void; text(): string };
  };
  const { Reconciler } = load('reconciler/reconciler.js') as {
    Reconciler: new (jwksUrl: string, adminUrls: string[], ports: object) => { metrics: string };
  };
  const traffic = new TrafficMetrics(() => [{ upstream: 'x', target: 'x', address: 'x', state: 'healthy' }]);
  traffic.add({
    ...{ service: 'x', route: 'x', status: 200, source: 'service', consumer: 'x' },
    ...{ totalMs: 1, upstreamMs: 1, requestBytes: 1, answerBytes: 1 },
  });
  return [
    ['gateway', traffic.text()],
    ['jwks-reconciler', new Reconciler('', [], {}).metrics],
  ];
}

function load(path: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- built programs of another project, as `gen` starts them
  return require(join(ROOT, 'gateway/dist', path));
}

/** `- record: name` and the `expr:` after it, on one line or folded over several. */
function recorded(): RecordedSeries[] {
  const rules = read('infra/prometheus/rules/recording.yml')
    .split(/^ +- record: /m)
    .slice(1);
  return rules.map((rule) => {
    const [name = '', ...rest] = rule.split('\n');
    const lines = rest.filter((line) => !/^\s*#/.test(line)).join(' ');
    return { name, expression: lines.replace(/^\s*expr: (>-)?/, '').trim() };
  });
}

main();
