import { seriesIn } from './series-of';

/** What of a dashboard's JSON is looked at. */
export interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  id: null;
  description: string;
  links: { url: string }[];
  templating: { list: { name: string; type: string; datasource?: { uid: string }; query: unknown }[] };
  panels: DashboardPanel[];
}

export interface DashboardPanel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { uid?: string } | string;
  gridPos: { x: number; y: number; w: number; h: number };
  links?: { url: string }[];
  targets?: { refId: string; datasource?: { uid?: string } | string; expr: string; legendFormat?: string }[];
  fieldConfig?: { defaults: { unit?: string; thresholds?: { steps: { value: number | null }[] } } };
}

export interface Surroundings {
  /** Sources of data that are provisioned. */
  datasources: readonly string[];
  /** Names of all series that there can be. */
  isSeries: (name: string) => boolean;
  isRunbookPage: (name: string) => boolean;
}

/** Every fault of these dashboards, in words; none when they may be loaded. Queries are only read, not asked. */
export function faultsOf(dashboards: readonly Dashboard[], surroundings: Surroundings): string[] {
  const uids = dashboards.map(({ uid }) => uid);
  return dashboards.flatMap((dashboard) =>
    [
      ...headFaults(dashboard, uids),
      ...placeFaults(dashboard.panels),
      ...dashboard.panels
        .filter(({ type }) => type !== 'row')
        .flatMap((panel) =>
          panelFaults(panel, dashboard, surroundings).map((fault) => `${panel.title}: ${fault}`),
        ),
    ].map((fault) => `${dashboard.title}: ${fault}`),
  );
}

function headFaults(dashboard: Dashboard, uids: readonly string[]): string[] {
  const { uid, id, schemaVersion, links, description } = dashboard;
  const strangers = links
    .map(({ url }) => /^\/d\/(.+)$/.exec(url)?.[1])
    .filter((to) => to !== undefined && !uids.includes(to));
  return [
    ...(/^[a-z0-9-]{8,40}$/.test(uid) ? [] : [`its uid is ${uid}`]),
    ...(uids.filter((each) => each === uid).length === 1 ? [] : [`another one has the uid ${uid}`]),
    ...(id === null ? [] : ['it has an id of some Grafana']),
    ...(schemaVersion >= 39 && schemaVersion <= 41 ? [] : [`its schemaVersion is ${schemaVersion}`]),
    ...(isSentence(description) ? [] : ['nothing says what it is for']),
    ...strangers.map((to) => `it links to ${to}, which is no board`),
    ...(uids.length > 1 && !links.some(({ url }) => url.startsWith('/d/'))
      ? ['it links to no other board']
      : []),
  ];
}

/** Ids are unique, panels lie within 24 columns and none on another. */
function placeFaults(panels: readonly DashboardPanel[]): string[] {
  const faults: string[] = [];
  panels.forEach((panel, at) => {
    const { x, y, w, h } = panel.gridPos;
    if (x < 0 || y < 0 || w < 1 || h < 1 || x + w > 24)
      faults.push(`${panel.title} lies outside of the grid`);
    for (const other of panels.slice(0, at)) {
      const o = other.gridPos;
      if (other.id === panel.id) faults.push(`${panel.title} has the id of ${other.title}`);
      if (x < o.x + o.w && o.x < x + w && y < o.y + o.h && o.y < y + h)
        faults.push(`${panel.title} lies on ${other.title}`);
    }
  });
  return faults;
}

function panelFaults(panel: DashboardPanel, { templating }: Dashboard, surroundings: Surroundings): string[] {
  const { targets = [], fieldConfig, links = [], description = '' } = panel;
  const { unit, thresholds } = fieldConfig?.defaults ?? {};
  const sources = [panel.datasource, ...targets.map(({ datasource }) => datasource)];
  const pages = links
    .map(({ url }) => /^\$\{runbook\}\/(.+)\.md$/.exec(url)?.[1])
    .filter((page) => page !== undefined);
  const steps = thresholds?.steps ?? [];
  const known = new Set(templating.list.map(({ name }) => name));
  return [
    ...sources
      .map((source) => (typeof source === 'object' ? source.uid : source))
      .filter((uid) => uid === undefined || !surroundings.datasources.includes(uid))
      .map((uid) => `${uid ?? 'nothing'} is no source of data by its uid`),
    ...(isSentence(description) && description.includes('When it is bad: ')
      ? []
      : ['nothing says what to do when it is bad']),
    ...(pages.length > 0 ? [] : ['it leads to no page of the runbook']),
    ...pages
      .filter((page) => !surroundings.isRunbookPage(page))
      .map((page) => `the runbook has no page ${page}`),
    ...(unit === undefined || unit === '' ? ['it has no unit'] : []),
    ...(steps[0]?.value === null && rises(steps.slice(1)) ? [] : ['its thresholds do not rise from null']),
    ...(targets.length > 0 ? [] : ['it asks for nothing']),
    ...(new Set(targets.map(({ refId }) => refId)).size === targets.length
      ? []
      : ['two queries have one refId']),
    ...targets.flatMap(({ expr, legendFormat }) => [
      ...(legendFormat === undefined ? [`${expr} has no legend`] : []),
      ...seriesIn(expr)
        .filter((name) => !surroundings.isSeries(name))
        .map((name) => `nobody makes ${name}`),
      ...[...expr.matchAll(/\$\{?(\w+)/g)]
        .map(([, name]) => name as string)
        .filter((name) => !name.startsWith('__') && !known.has(name))
        .map((name) => `the board has no variable ${name}`),
    ]),
  ];
}

function isSentence(text: string): boolean {
  return /^[A-Z0-9].{10,}[.?]$/.test(text);
}

function rises(steps: readonly { value: number | null }[]): boolean {
  return steps.every(
    ({ value }, at) => value !== null && (at === 0 || value > (steps[at - 1]?.value ?? Infinity)),
  );
}
