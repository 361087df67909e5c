/** A page of docs/runbook, without `.md`. */
export type Page = string;

export interface Query {
  /** PromQL; `$__rate_interval` and the board's own variables are expanded. */
  expression: string;
  /** Of each series, e.g. `{{service}}`. */
  legend: string;
}

export interface PanelOptions {
  /** One sentence: what is seen. */
  shows: string;
  /** One sentence: what to do when it is bad. */
  bad: string;
  runbook: Page;
  /** Unit of Grafana: `s`, `ms`, `percentunit`, `reqps`, `bytes`, `short` ... */
  unit: string;
  /** From here on it is orange, then red; with `low` from here downwards. */
  warn?: number;
  alarm?: number;
  low?: boolean;
  /** Of 24 columns. */
  width?: number;
  /** What has to happen before there is a series; without it an empty panel is a fault. */
  emptyUntil?: string;
  /** Points lead to traces (histograms of ours). */
  traces?: boolean;
}

export interface Panel extends PanelOptions {
  kind: 'timeseries' | 'stat' | 'table';
  title: string;
  queries: readonly Query[];
}

export interface Row {
  title: string;
  panels: readonly Panel[];
}

export interface Variable {
  name: string;
  label: string;
  /** PromQL of Grafana's own: `label_values(series, label)`. */
  query: string;
}

export interface Board {
  uid: string;
  title: string;
  /** One sentence: which question it answers. */
  about: string;
  rows: readonly Row[];
  variables?: readonly Variable[];
}

/** `[['sum(a)', '{{b}}'], ...]`, or one expression whose series needs no name. */
type Queries = string | readonly (readonly [expression: string, legend: string])[];

export const row = (title: string, ...panels: Panel[]): Row => ({ title, panels });

/** Series over time. */
export const series = (title: string, queries: Queries, options: PanelOptions): Panel => ({
  kind: 'timeseries',
  title,
  queries: queriesOf(queries, title),
  ...options,
});

/** One figure, coloured by its thresholds. */
export const figure = (title: string, queries: Queries, options: PanelOptions): Panel => ({
  kind: 'stat',
  title,
  queries: queriesOf(queries, title),
  ...options,
});

/** What there is now, one line each. */
export const list = (title: string, queries: Queries, options: PanelOptions): Panel => ({
  kind: 'table',
  title,
  queries: queriesOf(queries, title),
  ...options,
});

/** Median, 95th and 99th percentile of a histogram, by more labels where given. */
export function percentiles(
  histogram: string,
  selector = '',
  by: readonly string[] = [],
): [string, string][] {
  const named = by.map((label) => `{{${label}}} `).join('');
  return [0.5, 0.95, 0.99].map((share) => [
    quantile(share, histogram, selector, by),
    `${named}p${share * 100}`,
  ]);
}

export function quantile(
  share: number,
  histogram: string,
  selector = '',
  by: readonly string[] = [],
): string {
  const labels = ['le', ...by].join(', ');
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}_bucket${braced(selector)}[$__rate_interval])))`;
}

/** Per second, by labels. */
export function rate(counter: string, by: readonly string[] = [], selector = ''): string {
  const grouped = by.length === 0 ? 'sum' : `sum by (${by.join(', ')}) `;
  return `${grouped}(rate(${counter}${braced(selector)}[$__rate_interval]))`;
}

/** Nothing counted is zero: for counters with labels, which begin with their first event. */
export const orZero = (expression: string): string => `${expression} or vector(0)`;

function braced(selector: string): string {
  return selector === '' ? '' : `{${selector}}`;
}

function queriesOf(queries: Queries, title: string): Query[] {
  if (typeof queries === 'string') return [{ expression: queries, legend: title }];
  return queries.map(([expression, legend]) => ({ expression, legend }));
}
