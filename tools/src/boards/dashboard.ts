import type { Board, Panel, Row, Variable } from './panel';

/** The only source of data that panels use; infra/grafana/provisioning makes it under this uid. */
export const DATASOURCE = { type: 'prometheus', uid: 'prometheus' } as const;
/** Grafana's classic model; newer versions of Grafana migrate it when they load it. */
const SCHEMA_VERSION = 41;
const COLUMNS = 24;
const HEIGHTS = { timeseries: 8, stat: 4, table: 8 } satisfies Record<Panel['kind'], number>;
const WIDTHS = { timeseries: 8, stat: 4, table: 24 } satisfies Record<Panel['kind'], number>;
/** Where the pages of docs/runbook are read; operators who serve them elsewhere change the variable on the board. */
const RUNBOOK = 'https://sociograph.dev/runbook';

interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** The JSON that Grafana loads from a file. */
export function dashboardOf(board: Board, all: readonly Board[]): Record<string, unknown> {
  return {
    id: null,
    uid: board.uid,
    title: board.title,
    description: board.about,
    tags: ['sociograph'],
    timezone: 'browser',
    editable: false,
    graphTooltip: 1,
    refresh: '10s',
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    annotations: { list: [annotation('Alerts', 'ALERTS{alertstate="firing", alertname!="DeadMansSwitch"}')] },
    templating: { list: [...(board.variables ?? []).map(variable), runbookVariable()] },
    links: [
      ...all.filter(({ uid }) => uid !== board.uid).map(({ uid, title }) => link(title, `/d/${uid}`)),
      link('Runbook', '${runbook}/README.md'),
      link('Traces', '/explore?schemaVersion=1&panes={"t":{"datasource":"tempo","queries":[{"refId":"A"}]}}'),
      link('Logs', '/explore?schemaVersion=1&panes={"l":{"datasource":"loki","queries":[{"refId":"A"}]}}'),
    ],
    panels: board.rows.flatMap(rowPanels()),
  };
}

/** Numbers and places panels: each row's header takes a line of its own, panels go from left to right below it. */
function rowPanels(): (row: Row) => object[] {
  let id = 0;
  let y = 0;
  return ({ title, panels }) => {
    const header = {
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      gridPos: at(0, y, COLUMNS, 1),
      panels: [],
    };
    y += 1;
    let x = 0;
    let lineHeight = 0;
    const placed = panels.map((panel) => {
      const width = panel.width ?? WIDTHS[panel.kind];
      const height = HEIGHTS[panel.kind];
      if (x + width > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      const json = panelJson(panel, ++id, at(x, y, width, height));
      x += width;
      lineHeight = Math.max(lineHeight, height);
      return json;
    });
    y += lineHeight;
    return [header, ...placed];
  };
}

function panelJson(panel: Panel, id: number, gridPos: GridPos): object {
  const { kind, title, shows, bad, runbook, emptyUntil } = panel;
  const until = emptyUntil === undefined ? '' : ` Empty until ${emptyUntil}.`;
  return {
    id,
    type: kind,
    title,
    description: `${shows} When it is bad: ${bad}${until}`,
    datasource: DATASOURCE,
    gridPos,
    links: [{ title: `Runbook: ${runbook}`, url: `\${runbook}/${runbook}.md`, targetBlank: true }],
    targets: panel.queries.map(({ expression, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr: expression,
      legendFormat: legend,
      range: kind !== 'table',
      instant: kind === 'table',
      ...(kind === 'table' ? { format: 'table' } : {}),
      ...(panel.traces === true ? { exemplar: true } : {}),
    })),
    fieldConfig: { defaults: defaultsOf(panel), overrides: [] },
    options: optionsOf(kind),
    ...(kind === 'table'
      ? {
          transformations: [
            { id: 'organize', options: { excludeByName: { Time: true, Value: true, __name__: true } } },
          ],
        }
      : {}),
  };
}

function defaultsOf(panel: Panel): object {
  const thresholds = { mode: 'absolute', steps: stepsOf(panel) };
  if (panel.kind !== 'timeseries')
    return { unit: panel.unit, color: { mode: 'thresholds' }, thresholds, mappings: [], noValue: '-' };
  return {
    unit: panel.unit,
    min: 0,
    color: { mode: 'palette-classic' },
    thresholds,
    mappings: [],
    custom: {
      drawStyle: 'line',
      lineWidth: 1,
      fillOpacity: 8,
      showPoints: 'never',
      spanNulls: false,
      stacking: { mode: 'none', group: 'A' },
      thresholdsStyle: { mode: panel.alarm === undefined ? 'off' : 'dashed' },
    },
  };
}

function stepsOf({ warn, alarm, low = false }: Panel): { color: string; value: number | null }[] {
  const marks = [
    ...(warn === undefined ? [] : [{ color: 'orange', value: warn }]),
    ...(alarm === undefined ? [] : [{ color: 'red', value: alarm }]),
  ];
  if (!low) return [{ color: 'green', value: null }, ...marks];
  // Read upwards: red from the bottom, each mark ends its colour.
  const upwards = marks.toReversed();
  return [
    { color: upwards[0]?.color ?? 'green', value: null },
    ...upwards.map(({ value }, at) => ({ color: upwards[at + 1]?.color ?? 'green', value })),
  ];
}

function optionsOf(kind: Panel['kind']): object {
  if (kind === 'timeseries')
    return {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    };
  if (kind === 'table') return { showHeader: true, cellHeight: 'sm' };
  return {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    colorMode: 'background',
    graphMode: 'area',
    justifyMode: 'auto',
    orientation: 'auto',
    textMode: 'auto',
  };
}

function variable({ name, label, query }: Variable): object {
  return {
    type: 'query',
    name,
    label,
    datasource: DATASOURCE,
    definition: query,
    query: { refId: 'A', query },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

function runbookVariable(): object {
  return {
    type: 'textbox',
    name: 'runbook',
    label: 'Runbook at',
    query: RUNBOOK,
    current: { text: RUNBOOK, value: RUNBOOK },
  };
}

function annotation(name: string, expr: string): object {
  return {
    name,
    datasource: DATASOURCE,
    enable: true,
    expr,
    iconColor: 'red',
    step: '30s',
    titleFormat: '{{alertname}}',
    textFormat: '{{service}} {{instance}}',
  };
}

function link(title: string, url: string): object {
  return {
    type: 'link',
    title,
    url,
    targetBlank: false,
    keepTime: url.startsWith('/d/'),
    includeVars: false,
  };
}

function at(x: number, y: number, w: number, h: number): GridPos {
  return { x, y, w, h };
}
