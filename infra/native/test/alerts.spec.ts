import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { type AlertCase, ALERT_CASES, type Series } from './alert-cases';

// promtool plays six hours of samples, twice.
jest.setTimeout(120_000);

const ROOT = resolve(__dirname, '../../..');
const RULES = join(ROOT, 'infra/prometheus/rules');
const RUNBOOK = join(ROOT, 'docs/runbook');

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: { severity?: string };
  annotations?: { summary?: string };
}

interface Trial {
  of: AlertCase;
  series: Series;
  firing: boolean;
}

const TRIALS: readonly Trial[] = ALERT_CASES.flatMap((of) => [
  { of, series: of.fires, firing: true },
  ...(of.silent === undefined ? [] : [{ of, series: of.silent, firing: false }]),
  ...(of.whenAbsent === 'one' || of.whenAbsent === 'silent'
    ? [{ of, series: {}, firing: of.whenAbsent === 'one' }]
    : []),
]);

const files = readdirSync(RULES).map((name) => join(RULES, name));
const rules = files.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  ),
);
const alerts = rules.filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined);
const alertOf = (name: string): Rule => alerts.find(({ alert }) => alert === name) as Rule;

describe('the rules of Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const promtool = (...args: string[]): { code: number | null; text: string } => {
    const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' });
    if (error !== undefined) throw error;
    return { code: status, text: stdout + stderr };
  };
  /** promtool's own unit tests, all in one run: one start takes longer than all of them. */
  const played = (name: string, trials: readonly Trial[]): { code: number | null; text: string } => {
    const file = join(folder, `${name}.json`);
    const tests = trials.map(({ of, series, firing }) => {
      const { labels, annotations } = alertOf(of.alert);
      const expected = { exp_labels: { ...labels, ...of.labels }, exp_annotations: annotations };
      return {
        interval: '15s',
        input_series: Object.entries(series).map(([of, values]) => ({ series: of, values })),
        alert_rule_test: [{ eval_time: of.at, alertname: of.alert, exp_alerts: firing ? [expected] : [] }],
      };
    });
    writeFileSync(file, JSON.stringify({ rule_files: files, evaluation_interval: '1m', tests }));
    return promtool('test', 'rules', file);
  };

  it('are rules', () => {
    expect(promtool('check', 'rules', ...files)).toMatchObject({ code: 0 });
  });

  it('are all tried, each by its own case', () => {
    expect(ALERT_CASES.map(({ alert }) => alert)).toEqual(alerts.map(({ alert }) => alert));
  });

  it('fire above their threshold, are silent on the other side, and of what was never measured', () => {
    expect(played('as-meant', TRIALS)).toEqual({
      code: 0,
      text: expect.stringContaining('SUCCESS') as string,
    });
  });

  it('would be told apart: every trial that expects the opposite fails', () => {
    const { code, text } = played(
      'the-opposite',
      TRIALS.map((trial) => ({ ...trial, firing: !trial.firing })),
    );
    expect(code).not.toBe(0);
    for (const { alert } of ALERT_CASES)
      expect({ alert, failed: text.split(`alertname: ${alert},`).length - 1 }).toEqual({
        alert,
        failed: TRIALS.filter(({ of }) => of.alert === alert).length,
      });
  });

  it('have a severity, a sentence and a page of the runbook each, and no page is left over', () => {
    const known = ['none', 'ticket', 'page'];
    for (const { alert, labels, annotations } of alerts) {
      expect({ alert, known: known.includes(labels?.severity ?? '') }).toEqual({ alert, known: true });
      expect(annotations?.summary).toMatch(/^[A-Z].*\.$/);
      expect({ alert, page: existsSync(join(RUNBOOK, `${alert}.md`)) }).toEqual({ alert, page: true });
    }
    // Pages of alerts have their names; the others are of things to do.
    const pages = readdirSync(RUNBOOK).filter((name) => /^[A-Z]/.test(name) && name !== 'README.md');
    expect(pages.sort()).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort());
  });

  it('ask for series that docs/telemetry.md lists', () => {
    const listed = listedSeries();
    const unknown = rules.flatMap(({ expr }) => seriesOf(expr)).filter((name) => !isListed(name, listed));
    expect(unknown).toEqual([]);
  });
});

/** Names of series in an expression: words with an underscore that are no label, function or keyword of PromQL. */
function seriesOf(expression: string): string[] {
  const withoutLabels = expression.replace(/\{[^}]*\}/g, '').replace(/(by|without|on) \([^)]*\)/g, '');
  return [...withoutLabels.matchAll(/(?<![\w:/.-])[a-z]+(?:_[a-z0-9]+)+(?![\w:/(-])/g)].map(([name]) => name);
}

function isListed(series: string, listed: ReadonlySet<string>): boolean {
  return listed.has(series) || listed.has(series.replace(/_(bucket|count|sum)$/, ''));
}

/** docs/telemetry.md is written from the sources and compared with what the running fleet shows. */
function listedSeries(): Set<string> {
  const document = readFileSync(join(ROOT, 'docs/telemetry.md'), 'utf8');
  return new Set([...document.matchAll(/^\| `([\w:]+)`/gm)].map(([, name]) => name as string));
}
