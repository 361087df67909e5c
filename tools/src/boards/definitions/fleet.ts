import { type Board, figure, list, orZero, quantile, rate, row, series } from '../panel';
import { processPanels } from './process';

export const FLEET: Board = {
  uid: 'sociograph-fleet',
  title: 'Fleet',
  about: 'Is everything well, and if not, where to look?',
  rows: [
    row(
      'Objectives and alerts',
      figure('Alerts that fire', orZero('count(ALERTS{alertstate="firing", alertname!="DeadMansSwitch"})'), {
        shows: "Alerts that fire now, the dead man's switch left out.",
        bad: 'open the runbook page of each, in the table below.',
        ...{ runbook: 'README', unit: 'short', alarm: 1 },
      }),
      figure('Answered, last hour', '1 - (gateway:errors:ratio1h or vector(0))', {
        shows: 'Share of requests that the gateway or a service could answer; the objective is 99.9 %.',
        bad: "see which service answers 5xx on the gateway's board.",
        ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'percentunit', warn: 0.9995, alarm: 0.999, low: true },
      }),
      figure('Error budget, speed', '(gateway:errors:ratio1h or vector(0)) / 0.001', {
        shows:
          "How many times faster than allowed the month's error budget is used; 1 uses it up in the month.",
        bad: 'from 6 on it is gone within days.',
        ...{ runbook: 'ErrorBudgetBurnsSlowly', unit: 'none', warn: 6, alarm: 14.4 },
      }),
      figure('Answers, 95th percentile', quantile(0.95, 'kong_request_latency_ms'), {
        shows: 'Of 20 requests 19 are answered within that time.',
        bad: "the gateway's board says whether it is the gateway or a service.",
        ...{ runbook: 'EventLoopSlow', unit: 'ms', warn: 250, alarm: 1_000 },
      }),
      figure('Processes away', orZero('count(up == 0)'), {
        shows: 'Targets of Prometheus that do not answer.',
        bad: '`npm run status`, then the end of the log of each.',
        ...{ runbook: 'InstanceDown', unit: 'short', alarm: 1 },
      }),
      figure('Writers of the views', orZero('sum(projector_writer)'), {
        shows: 'Projectors that write; exactly one does.',
        bad: 'none: the views stand still; two: their fences keep one of them from writing.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short', alarm: 1, low: true },
      }),
      list('Which', [['ALERTS{alertstate="firing"}', '']], {
        shows: 'Every alert that fires. DeadMansSwitch always does: it proves that alerts work.',
        bad: 'each has a page of the runbook under its name; without DeadMansSwitch no alert would arrive.',
        ...{ runbook: 'DeadMansSwitch', unit: 'short' },
      }),
    ),
    row(
      'Traffic',
      series(
        'Requests by service',
        [[rate('kong_http_requests_total', ['exported_service']), '{{exported_service}}']],
        {
          shows: 'Requests through the gateway.',
          bad: 'a fall to nothing: clients get no tokens, or do not reach the gateway.',
          ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'reqps' },
        },
      ),
      series(
        'Refused and failed',
        [[rate('kong_http_requests_total', ['code'], 'code=~"4..|5.."'), '{{code}}']],
        {
          shows: 'Answers with 4xx and 5xx by status.',
          bad: '5xx: the board of the gateway says whose; 401 of all: signing keys; 429: a client without pause.',
          ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'reqps', emptyUntil: 'a request is refused' },
        },
      ),
      series(
        'Calls to networks',
        [[rate('api_calls_total', ['network', 'result']), '{{network}} {{result}}']],
        {
          shows: 'Calls of the workers by what the network answered.',
          bad: 'error-6 is an overstepped limit, error-5 a key that became invalid, timeouts a slow network.',
          ...{ runbook: 'LimitOverstepped', unit: 'cps' },
        },
      ),
    ),
    row(
      'Work',
      series('Observed', [[rate('graph_observations_total', ['kind']), '{{kind}}']], {
        shows: 'People, lists and posts that reach the graph.',
        bad: 'nothing while imports run: see the boards of imports and messaging.',
        ...{ runbook: 'ConsumerLags', unit: 'cps' },
      }),
      series('Lag of consumers', [['group:consumer_lag_records:sum', '{{group}}']], {
        shows: 'Records behind the end of the topics.',
        bad: 'growth for minutes: more comes than is stored.',
        ...{ runbook: 'ConsumerLags', unit: 'short', warn: 5_000, alarm: 20_000 },
      }),
      series('Dead letters', orZero('sum by (group) (increase(kafka_dead_lettered_records_total[1h]))'), {
        shows: 'Records that could not be processed within the last hour.',
        bad: 'each is a gap in an import until it is redriven.',
        ...{ runbook: 'RecordsDeadLettered', unit: 'short', alarm: 1 },
      }),
      series('Imports', [['max by (state) (parser_imports)', '{{state}}']], {
        shows: 'Imports that are kept, by state.',
        bad: 'settling for minutes: the views do not catch up; failed: its certificate says why.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short' },
      }),
      series('Keys', [['max by (state) (api_keys)', '{{state}}']], {
        shows: 'Keys of all workspaces by state.',
        bad: 'fewer active ones: imports slow down; invalid ones need new tokens.',
        ...{ runbook: 'FewKeysActive', unit: 'short' },
      }),
      series('Restarts', [['changes(process_start_time_seconds[1h])', '{{instance}}']], {
        shows: 'How often each process was started anew within the last hour.',
        bad: 'the end of its log before the restart says why it ended.',
        ...{ runbook: 'InstanceDown', unit: 'short', alarm: 3 },
      }),
    ),
    row('Processes', ...processPanels('')),
  ],
};
