import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@sociograph/testing';
import { expanded, type Fault, faultsIn, type Question, questionsIn, questionsOf } from './boards/dashboards';
import { differences, listedFor, shownIn } from './boards/listed-metrics';
import { Fleet, fromStack, useWorkspace } from './fleet';

jest.setTimeout(400_000);

const EGO_FACEBOOK = join(__dirname, '../infra/vk-simulator/data/ego-facebook.txt.gz');
const PROMETHEUS = fromStack('PROMETHEUS_URL');
const DOCUMENT = readFileSync(join(__dirname, '../docs/telemetry.md'), 'utf8');
const BOARDS = join(__dirname, '../infra/grafana/dashboards');

interface Target {
  scrapeUrl: string;
  labels: { job: string; service: string; instance: string };
}

describe('a fleet that has worked', () => {
  beforeAll(async () => {
    await useWorkspace(`e2e-${randomUUID().slice(0, 8)}`);
    const fleet = await Fleet.up(EGO_FACEBOOK, { keys: 20 });
    await fleet.registerKeys();
    // One list and the people in it: three calls, and every part of the fleet has worked.
    const { id } = await fleet.api.startImport({ seeds: ['108'], depth: 1 });
    const finished = await fleet.completed(id, 300_000);
    await fleet.api.summaryAfter(finished);
    const somebody = ['/v1/people/vk/108', '/v1/profiles/vk/108'];
    const routes = ['/v1/keys', '/v1/imports', '/v1/workspace/quotas', ...somebody];
    for (const route of routes) await fleet.api.get(route);
  });

  it('shows what docs/telemetry.md lists, and lists what it shows', async () => {
    const answer = await fetch(`${PROMETHEUS}/api/v1/targets?state=active`);
    const { data } = (await answer.json()) as { data: { activeTargets: Target[] } };
    const processes = data.activeTargets.filter(({ labels }) => labels.job === 'fleet');
    const known = [...new Set(processes.map(({ labels }) => labels.service))].sort();
    expect(known).toEqual([
      'gateway',
      'graph-storage-service',
      'identity-service',
      'jwks-reconciler',
      'key-service',
      'parser-service',
      'read-model-projector',
    ]);
    for (const { scrapeUrl, labels } of processes) {
      const text = await (await fetch(scrapeUrl)).text();
      expect({
        of: labels.instance,
        differences: differences(listedFor(labels.service, DOCUMENT), shownIn(text)),
      }).toEqual({ of: labels.instance, differences: [] });
    }
  });

  it('lets histograms name the traces of what they counted', async () => {
    const answer = await fetch(`${PROMETHEUS}/api/v1/targets?state=active`);
    const { data } = (await answer.json()) as { data: { activeTargets: Target[] } };
    const parser = data.activeTargets.find(({ labels }) => labels.service === 'parser-service') as Target;
    // What begins an import is always traced, and its first calls with it.
    const accept = 'application/openmetrics-text;version=1.0.0';
    const text = await (await fetch(parser.scrapeUrl, { headers: { accept } })).text();
    expect(text).toMatch(/^rabbit_task_duration_seconds_bucket\{.*\} \d+ # \{trace_id="[0-9a-f]{32}"\} /m);
  });

  it('answers every panel, annotation and variable of the boards', async () => {
    let open: Question[] = questionsIn(BOARDS);
    expect(open.length).toBeGreaterThan(200);
    // Rates want two scrapes, rules an evaluation; what was answered once is not asked again.
    await eventually(
      async () => {
        const faults = await faultsIn(PROMETHEUS, open);
        open = faults;
        expect(faults.map(told)).toEqual([]);
      },
      { timeoutMs: 120_000, everyMs: 1_000 },
    );
  });
});

describe('the check of boards', () => {
  const asked = (expr: string, description = 'About it.'): Promise<Fault[]> => {
    const templating = { list: [{ type: 'textbox', name: 'runbook' }] };
    const panels = [{ type: 'timeseries', title: 'P', description, targets: [{ expr }] }];
    return faultsIn(PROMETHEUS, questionsOf({ title: 'B', templating, annotations: { list: [] }, panels }));
  };

  it('finds a series with a slip in its name, and one with a slip in a label', async () => {
    expect(await asked('rate(kafka_consumed_record_total[$__rate_interval])')).toMatchObject([
      { board: 'B', panel: 'P', fault: 'no series' },
    ]);
    expect(await asked('up{job="flete"}')).toMatchObject([{ fault: 'no series' }]);
  });

  it('finds what Prometheus cannot read, also where silence was announced', async () => {
    const silent = 'About it. Empty until it rains.';
    expect(await asked('sum by (service) (up', silent)).toMatchObject([
      { fault: expect.stringContaining('parse error') as string, emptyUntil: 'it rains' },
    ]);
    expect(await asked('rate(up)', silent)).toMatchObject([
      { fault: expect.stringContaining('range vector') as string },
    ]);
    expect(await asked('up{job="flete"}', silent)).toEqual([]);
  });

  it('finds none where all is well', async () => {
    await eventually(async () => expect(await asked('up{service=~"$service"}')).toEqual([]), {
      timeoutMs: 20_000,
    });
  });

  it('asks as Grafana does with every variable at All', () => {
    expect(expanded('rate(a{b=~"$b", c=~"${c:regex}"}[$__rate_interval]) / b[${__range}]')).toBe(
      'rate(a{b=~".*", c=~".*"}[1m]) / b[1h]',
    );
    expect(expanded('label_replace(up[$__interval], "a", "$1", "b", "(.*)")')).toBe(
      'label_replace(up[15s], "a", "$1", "b", "(.*)")',
    );
  });

  it('wants to know what a variable is filled from', () => {
    const list = [{ type: 'query', name: 'v', definition: 'metrics(up)' }];
    expect(() =>
      questionsOf({ title: 'B', templating: { list }, annotations: { list: [] }, panels: [] }),
    ).toThrow('$v of B');
  });
});

describe('the check of docs/telemetry.md', () => {
  const document = `# T

## Every process

Shown by a, b.

| \`cpu\` | gauge |  | CPU |

## Several processes

| \`shared_total\` | counter | \`x\` | b, c | Of x |

## b

| \`own_seconds\` | histogram | \`y\`, \`z\` | Of y |
`;
  const text = `# TYPE cpu gauge
cpu 1
# TYPE shared_total counter
# TYPE own_seconds histogram
own_seconds_bucket{le="1",z="1",y="1",service="b"} 1
own_seconds_count{z="1",y="1"} 1
`;

  it('takes of each table what a program is said to show', () => {
    expect(listedFor('b', document).map(({ name }) => name)).toEqual(['cpu', 'shared_total', 'own_seconds']);
    expect(listedFor('c', document).map(({ name }) => name)).toEqual(['shared_total']);
    expect(differences(listedFor('b', document), shownIn(text))).toEqual([]);
  });

  it('finds what only one side has, another type and other labels', () => {
    expect(differences(listedFor('c', document), shownIn(text))).toEqual([
      'cpu is not listed',
      'own_seconds is not listed',
    ]);
    expect(differences(listedFor('b', document), shownIn('# TYPE cpu counter\ncpu{a="1"} 1\n'))).toEqual([
      'shared_total is not shown',
      'own_seconds is not shown',
      'cpu is a counter',
      'cpu has the labels a',
    ]);
  });
});

function told({ board, panel, expression, fault }: Fault): string {
  return `${board}, ${panel}: ${fault}: ${expression}`;
}
