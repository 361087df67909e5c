import { type Board, figure, orZero, percentiles, quantile, rate, row, series } from '../panel';

export const KEY_POOL: Board = {
  uid: 'sociograph-key-pool',
  title: 'Key pool',
  about: 'Are the keys used to their limits, and never beyond?',
  rows: [
    row(
      'Is it well?',
      figure('Active keys', 'max(api_keys{state="active"})', {
        shows: 'Keys that can be leased.',
        bad: 'fewer than three: imports go as slowly as the rest allows; get new tokens.',
        ...{ runbook: 'FewKeysActive', unit: 'short', warn: 5, alarm: 3, low: true },
      }),
      figure('Refused, 5 min', orZero('max(network:refused_calls:ratio5m)'), {
        shows: 'Share of calls that a network refused for too many requests.',
        bad: 'above 1 %: another program uses the keys, or the margin is too small; look at refusals by key.',
        ...{ runbook: 'LimitOverstepped', unit: 'percentunit', warn: 0.001, alarm: 0.01 },
      }),
      figure('Used', 'sum(pool_utilisation_ratio)', {
        shows: 'Calls sent in the last minute over what the active keys allow.',
        bad: 'low while imports run: workers or slots are the bound, not keys; see slots lost.',
        ...{ runbook: 'SlotsMissed', unit: 'percentunit' },
      }),
      figure('Slots lost, 5 min', orZero('max(network:slots_lost:ratio5m)'), {
        shows: 'Share of slots that passed because the worker was too late.',
        bad: 'the machine of the workers is too busy: fewer calls at once, or more machines.',
        ...{ runbook: 'SlotsMissed', unit: 'percentunit', warn: 0.02, alarm: 0.05 },
      }),
      figure(
        'Open circuits',
        orZero(
          'sum(api_circuits_total{change="opened"}) - (sum(api_circuits_total{change="closed"}) or vector(0))',
        ),
        {
          shows: 'Keys and networks that are left alone because they kept failing.',
          bad: 'of one key: that key; of a network: the network is ill, one call at a time probes it.',
          ...{ runbook: 'CircuitFlaps', unit: 'short', warn: 1 },
        },
      ),
      figure('Waiting for a slot', 'sum(queue_length{queue="lease-line"})', {
        shows: 'Requests for leases that wait in key-service.',
        bad: 'hundreds for minutes: more is asked than the keys allow.',
        ...{ runbook: 'FewKeysActive', unit: 'short', warn: 200 },
      }),
    ),
    row(
      'Calls',
      series('By answer', [[rate('api_calls_total', ['network', 'result']), '{{network}} {{result}}']], {
        shows: 'Calls that workers reported by what the network answered.',
        bad: 'error-6 is an overstepped limit, error-5 an invalid key, error-29 a limit of the day.',
        ...{ runbook: 'LimitOverstepped', unit: 'cps' },
      }),
      series('By method', [[rate('api_calls_total', ['network', 'method']), '{{network}} {{method}}']], {
        shows: 'Calls by method, those inside of packed calls one by one.',
        bad: 'a method that stopped: it is barred or rests for most keys; the history of a key says so.',
        ...{ runbook: 'LimitOverstepped', unit: 'cps' },
      }),
      series('Used', [['sum by (network) (pool_utilisation_ratio)', '{{network}}']], {
        shows: 'Calls sent in the last minute over what the active keys allow.',
        bad: 'low while imports run: workers or slots are the bound, not keys.',
        ...{ runbook: 'SlotsMissed', unit: 'percentunit' },
      }),
    ),
    row(
      'Keys',
      series('By state', [['max by (state) (api_keys)', '{{state}}']], {
        shows: 'Keys of all workspaces by state.',
        bad: 'invalid ones need new tokens from their owners.',
        ...{ runbook: 'KeyBecameInvalid', unit: 'short' },
      }),
      series(
        'Busiest',
        [['topk(10, sum by (keyId) (rate(api_key_usage_total[$__rate_interval])))', '{{keyId}}']],
        {
          shows: 'The ten keys with the most calls.',
          bad: 'one far above the others: the others rest or are barred.',
          ...{ runbook: 'LimitOverstepped', unit: 'cps' },
        },
      ),
      series(
        'Errors by key',
        [
          [
            'topk(10, sum by (keyId, code) (rate(api_key_errors_total[$__rate_interval])))',
            '{{keyId}} {{code}}',
          ],
        ],
        {
          shows: 'The ten keys whose calls fail most, by the code of the network.',
          bad: 'code 6 of one key: another program uses it; of all: the margin.',
          ...{ runbook: 'LimitOverstepped', unit: 'cps', emptyUntil: 'a call of a key fails' },
        },
      ),
      series(
        'What happened to keys',
        [['sum by (kind, code) (increase(api_key_events_total[10m]))', '{{kind}} {{code}}']],
        {
          shows: 'Changes that answers brought about, within ten minutes.',
          bad: 'invalid: a token is gone for good; resting: it comes back by itself.',
          ...{ runbook: 'KeyBecameInvalid', unit: 'short', emptyUntil: 'an answer changes a key' },
        },
      ),
      series(
        'Put to rest',
        [['topk(10, sum by (keyId) (increase(api_key_backoff_count[1h])))', '{{keyId}}']],
        {
          shows: 'The ten keys that were put to rest most often within an hour.',
          bad: 'its owner or another program uses it: agree with the owner, or lower its limit.',
          ...{ runbook: 'LimitOverstepped', unit: 'short', emptyUntil: 'a key is put to rest' },
        },
      ),
      series(
        'Circuits',
        [['sum by (scope, change) (increase(api_circuits_total[15m]))', '{{scope}} {{change}}']],
        {
          shows: 'Circuits of keys and networks that opened and closed.',
          bad: 'opening again and again: the network or the way to it is ill.',
          ...{ runbook: 'CircuitFlaps', unit: 'short', alarm: 3, emptyUntil: 'a circuit opens' },
        },
      ),
    ),
    row(
      'Leases',
      series('Answers of the pool', percentiles('lease_rpc_seconds', '', ['kind']), {
        shows: 'From a request of the lease protocol to its answer, the wait for a slot included.',
        bad: 'settle slow: Redis or key-service is busy; acquire slow: too few keys.',
        ...{ runbook: 'EventLoopSlow', unit: 's' },
      }),
      series('Wait for the slot', percentiles('lease_wait_seconds'), {
        shows: 'From a granted request to the beginning of its first slot.',
        bad: 'seconds: more is asked than the keys allow.',
        ...{ runbook: 'FewKeysActive', unit: 's' },
      }),
      series('Held', percentiles('lease_hold_seconds'), {
        shows: 'From a grant to its settle: the call itself.',
        bad: 'above 5 s: the network is slow or the way to it.',
        ...{ runbook: 'NetworkSlow', unit: 's', warn: 2, alarm: 5 },
      }),
      series(
        'Slots lost',
        [[rate('lease_slots_lost_total', ['network', 'cause']), '{{network}} {{cause}}']],
        {
          shows: 'Slots in which nothing was sent, by cause.',
          bad: "too-late: the workers' machine is busy; no-connection: the network does not take connections.",
          ...{ runbook: 'SlotsMissed', unit: 'cps', emptyUntil: 'a slot is lost' },
        },
      ),
      series(
        'Refused requests',
        [['sum by (reason) (increase(lease_requests_refused_total[10m]))', '{{reason}}']],
        {
          shows: 'Lease requests that failed authentication or freshness.',
          bad: 'forged or replay: somebody holds a broker account who should not.',
          ...{ runbook: 'ForgedLeaseRequests', unit: 'short', alarm: 5, emptyUntil: 'a request is refused' },
        },
      ),
      series('Uses recorded', [[orZero(rate('key_uses_total', ['outcome'])), '{{outcome}}']], {
        shows: 'Leases recorded as uses of keys.',
        bad: 'dropped: PostgreSQL was away for longer than there is room; those uses are not in the history.',
        ...{ runbook: 'BackgroundWorkFails', unit: 'cps' },
      }),
    ),
    row(
      'Margin and budgets',
      series('Margin', [['max by (network) (pool_margin_seconds)', '{{network}}']], {
        shows: 'Learned time between a slot and the latest arrival; it lowers the ceiling of use.',
        bad: 'wide: the way to the network scatters, or workers are late; it narrows by itself.',
        ...{ runbook: 'SlotsMissed', unit: 's', emptyUntil: 'a worker has reported its path' },
      }),
      series(
        'Lateness of sends',
        [[quantile(0.99, 'parser_slot_lateness_seconds', '', ['network']), '{{network}} p99']],
        {
          shows: 'From the beginning of a slot to the write of the call.',
          bad: 'above 4 ms slots are lost: the machine of the workers is too busy.',
          ...{ runbook: 'SlotsMissed', unit: 's', alarm: 0.004 },
        },
      ),
      series(
        'Longer limits',
        [
          ['sum by (limit) (pool_budget_spent_calls)', '{{limit}} spent'],
          ['sum by (limit) (pool_budget_booked_calls)', '{{limit}} booked'],
        ],
        {
          shows:
            'Calls of the limits of a minute and more that are booked, and how many of these were granted.',
          bad: 'spent at booked for minutes: the limit is used up until its window moves on.',
          ...{ runbook: 'FewKeysActive', unit: 'short', emptyUntil: 'a method has a longer limit' },
        },
      ),
    ),
  ],
};
