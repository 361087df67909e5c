import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BOARDS } from './boards';
import { dashboardOf } from './dashboard';
import { type Dashboard, type DashboardPanel, faultsOf, type Surroundings } from './faults';
import { figure, row, series, type Board } from './panel';

const ROOT = resolve(__dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const telemetry = new Set(
  [...read('docs/telemetry.md').matchAll(/^\| `([\w:]+)`/gm)].map(([, name]) => name as string),
);

const ACTUAL: Surroundings = {
  datasources: [
    ...read('infra/grafana/provisioning/datasources/sources.yml').matchAll(/^ +uid: (\S+)$/gm),
  ].map(([, uid]) => uid as string),
  isSeries: (name) => telemetry.has(name) || telemetry.has(name.replace(/_(bucket|sum|count)$/, '')),
  isRunbookPage: (page) => existsSync(join(ROOT, 'docs/runbook', `${page}.md`)),
};

const options = { shows: 'What is seen here.', bad: 'do this.', runbook: 'InstanceDown', unit: 's' };
const BOARD: Board = {
  uid: 'sociograph-specimen',
  title: 'Specimen',
  about: 'Is a board looked at rightly?',
  rows: [
    row(
      'One',
      figure('Figure', 'up', { ...options, warn: 5, alarm: 3, low: true }),
      ...Array.from({ length: 4 }, (_, at) => series(`Series ${at}`, [['up{a=~"$a"}', '{{a}}']], options)),
    ),
    row('Two', series('Last', 'up', { ...options, alarm: 1, emptyUntil: 'it rains' })),
  ],
  variables: [{ name: 'a', label: 'A', query: 'label_values(up, a)' }],
};
const specimen = (): Dashboard => dashboardOf(BOARD, [BOARD]) as unknown as Dashboard;
const SPECIMEN: Surroundings = {
  datasources: ['prometheus'],
  isSeries: (name) => name === 'up',
  isRunbookPage: (page) => page === 'InstanceDown',
};

describe('the boards', () => {
  it('have no fault', () => {
    expect(
      faultsOf(
        BOARDS.map((board) => dashboardOf(board, BOARDS) as unknown as Dashboard),
        ACTUAL,
      ),
    ).toEqual([]);
  });

  it('are those that Grafana is given', () => {
    expect(readdirSync(join(ROOT, 'infra/grafana/dashboards')).sort()).toEqual(
      BOARDS.map(({ uid }) => `${uid}.json`).sort(),
    );
  });
});

describe('the JSON of a board', () => {
  it('places panels from left to right below the header of their row', () => {
    expect(
      specimen().panels.map(({ id, title, gridPos: { x, y, w, h } }) => [id, title, x, y, w, h]),
    ).toEqual([
      [1, 'One', 0, 0, 24, 1],
      [2, 'Figure', 0, 1, 4, 4],
      [3, 'Series 0', 4, 1, 8, 8],
      [4, 'Series 1', 12, 1, 8, 8],
      [5, 'Series 2', 0, 9, 8, 8],
      [6, 'Series 3', 8, 9, 8, 8],
      [7, 'Two', 0, 17, 24, 1],
      [8, 'Last', 0, 18, 8, 8],
    ]);
  });

  it('colours what is low from red upwards, the rest from green', () => {
    const steps = (at: number): unknown => specimen().panels[at]?.fieldConfig?.defaults.thresholds?.steps;
    expect(steps(1)).toEqual([
      { color: 'red', value: null },
      { color: 'orange', value: 3 },
      { color: 'green', value: 5 },
    ]);
    expect(steps(7)).toEqual([
      { color: 'green', value: null },
      { color: 'red', value: 1 },
    ]);
  });

  it('says in words what is seen, what to do, and what it waits for', () => {
    expect(specimen().panels[7]?.description).toBe(
      'What is seen here. When it is bad: do this. Empty until it rains.',
    );
  });

  it('links to the other boards and not to itself', () => {
    const other: Board = { ...BOARD, uid: 'sociograph-other', title: 'Other' };
    const { links } = dashboardOf(BOARD, [BOARD, other]) as unknown as Dashboard;
    expect(links.map(({ url }) => url).filter((url) => url.startsWith('/d/'))).toEqual([
      '/d/sociograph-other',
    ]);
  });
});

describe('faultsOf', () => {
  const faults = (change: (dashboard: Dashboard, panel: DashboardPanel) => void): string[] => {
    const dashboard = specimen();
    change(dashboard, dashboard.panels[1] as DashboardPanel);
    return faultsOf([dashboard], SPECIMEN).map((fault) => fault.replace(/^Specimen: (Figure: )?/, ''));
  };
  const target = ({ targets }: DashboardPanel) => targets?.[0] as NonNullable<typeof targets>[number];

  it('finds none in a whole board', () => {
    expect(faults(() => undefined)).toEqual([]);
  });

  it.each<[string, (dashboard: Dashboard, panel: DashboardPanel) => void, string]>([
    ['a short uid', (d) => (d.uid = 'x'), 'its uid is x'],
    ['an id', (d) => (d.id = 5 as never), 'it has an id of some Grafana'],
    ['an old schema', (d) => (d.schemaVersion = 38), 'its schemaVersion is 38'],
    ['a schema that is not known', (d) => (d.schemaVersion = 42), 'its schemaVersion is 42'],
    ['no purpose', (d) => (d.description = ''), 'nothing says what it is for'],
    [
      'a link to nowhere',
      (d) => d.links.push({ url: '/d/nowhere' }),
      'it links to nowhere, which is no board',
    ],
    [
      'two panels with one id',
      (d) => ((d.panels[2] as DashboardPanel).id = 2),
      'Series 0 has the id of Figure',
    ],
    ['a panel on another', (_d, p) => (p.gridPos.w = 5), 'Series 0 lies on Figure'],
    [
      'a panel beside the grid',
      (d) => ((d.panels[7] as DashboardPanel).gridPos.x = 17),
      'Last lies outside of the grid',
    ],
    [
      'a source by its name',
      (_d, p) => (p.datasource = 'Prometheus'),
      'Prometheus is no source of data by its uid',
    ],
    ['no source', (_d, p) => delete target(p).datasource, 'nothing is no source of data by its uid'],
    [
      'no word of what to do',
      (_d, p) => (p.description = 'What is seen here.'),
      'nothing says what to do when it is bad',
    ],
    ['no page', (_d, p) => (p.links = []), 'it leads to no page of the runbook'],
    [
      'a page that is not there',
      (_d, p) => (p.links = [{ url: '${runbook}/Lost.md' }]),
      'the runbook has no page Lost',
    ],
    ['no unit', (_d, p) => delete p.fieldConfig?.defaults.unit, 'it has no unit'],
    [
      'thresholds that fall',
      (_d, p) => p.fieldConfig?.defaults.thresholds?.steps.push({ value: 1 }),
      'its thresholds do not rise from null',
    ],
    ['no query', (_d, p) => (p.targets = []), 'it asks for nothing'],
    ['one refId twice', (_d, p) => p.targets?.push({ ...target(p) }), 'two queries have one refId'],
    ['no legend', (_d, p) => delete target(p).legendFormat, 'up has no legend'],
    ['a series with a slip', (_d, p) => (target(p).expr = 'rate(upp[5m])'), 'nobody makes upp'],
    [
      'a variable that is not there',
      (_d, p) => (target(p).expr = 'up{b="$b"}'),
      'the board has no variable b',
    ],
  ])('finds %s', (_what, change, fault) => {
    expect(faults(change)).toEqual([fault]);
  });

  it('finds two boards with one uid, and a board that leads nowhere', () => {
    expect(faultsOf([specimen(), specimen()], SPECIMEN)).toEqual(
      Array.from({ length: 2 }, () => [
        'Specimen: another one has the uid sociograph-specimen',
        'Specimen: it links to no other board',
      ]).flat(),
    );
  });
});
