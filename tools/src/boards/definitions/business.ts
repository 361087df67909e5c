import { type Board, figure, orZero, row, series } from '../panel';

export const BUSINESS: Board = {
  uid: 'sociograph-business',
  title: 'Business',
  about: 'Who uses it, how much, and does anybody come near a limit?',
  rows: [
    row(
      'Now',
      figure('Workspaces', 'max(identity_workspaces)', {
        shows: 'Workspaces of the fleet.',
        bad: 'a jump without cause: registrations are not limited as they should be.',
        ...{ runbook: 'RateLimitsOff', unit: 'short' },
      }),
      figure('Members', 'max(identity_members)', {
        shows: 'Accounts that are a member of a workspace.',
        bad: 'a jump without cause: see the audit trail.',
        ...{ runbook: 'RateLimitsOff', unit: 'short' },
      }),
      figure('People', 'max(projector_people)', {
        shows: 'People in all graphs.',
        bad: 'a fall without an erasure: the writer of the views has not replayed yet.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short' },
      }),
      figure('Friendships', 'max(projector_friendships)', {
        shows: 'Friendships in all graphs.',
        bad: 'a fall without an erasure: the writer of the views has not replayed yet.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short' },
      }),
      figure('People, last day', orZero('sum(increase(graph_observations_total{kind="person"}[1d]))'), {
        shows: 'People observed within a day, repeats included.',
        bad: 'less than usual: see imports and keys.',
        ...{ runbook: 'FewKeysActive', unit: 'short' },
      }),
      figure('Imports completed, last day', orZero('sum(increase(parser_imports_completed_total[1d]))'), {
        shows: 'Imports whose observations every view shows.',
        bad: 'none while some are asked for: see the board of imports.',
        ...{ runbook: 'NoWriterOfViews', unit: 'short' },
      }),
    ),
    row(
      'Use',
      series(
        'People a day',
        [['sum by (kind) (increase(graph_observations_total{kind=~"person|list"}[1d]))', '{{kind}}']],
        {
          shows: 'People and lists of friends observed within a day.',
          bad: 'less than usual: see imports and keys.',
          ...{ runbook: 'FewKeysActive', unit: 'short' },
        },
      ),
      series('Imports', [['max by (state) (parser_imports)', '{{state}}']], {
        shows: 'Imports that are kept, by state.',
        bad: 'paused and failed ones grow: ask their owners; certificates say what is missing.',
        ...{ runbook: 'AnswersUnreadable', unit: 'short' },
      }),
      series('Gaps', [['max by (of) (parser_import_gaps)', '{{of}}']], {
        shows: 'What imports asked for and did not get.',
        bad: 'a jump: see gaps by cause on the board of imports.',
        ...{ runbook: 'AnswersUnreadable', unit: 'short' },
      }),
      series(
        'Requests a day',
        [['sum by (exported_service) (increase(kong_http_requests_total[1d]))', '{{exported_service}}']],
        {
          shows: 'Requests of clients within a day by service.',
          bad: 'less than usual: clients cannot reach the gateway, or get no tokens.',
          ...{ runbook: 'ErrorBudgetBurnsFast', unit: 'short' },
        },
      ),
      series('Acts in the audit trail, a day', orZero('sum(increase(audit_entries_received_total[1d]))'), {
        shows: 'Records of who did what, repeats included.',
        bad: 'none for long while people work: the collector is stuck.',
        ...{ runbook: 'ConsumerLags', unit: 'short' },
      }),
      series(
        'Exports a day',
        [['sum by (format) (increase(graph_exports_requested_total[1d]))', '{{format}}']],
        {
          shows: 'Exports asked for within a day.',
          bad: 'many of one workspace: its quota of exports.',
          ...{ runbook: 'BackgroundWorkFails', unit: 'short', emptyUntil: 'an export is asked for' },
        },
      ),
    ),
    row(
      'Limits',
      series('Nearest to a limit', [['max by (quota) (identity_quota_use_ratio)', '{{quota}}']], {
        shows: 'Use over limit of the workspace that is nearest to its limit.',
        bad: 'at 1 its next request is refused with 429: agree on a higher limit, or leave it.',
        ...{ runbook: 'FewKeysActive', unit: 'percentunit', warn: 0.8, alarm: 1, width: 12 },
      }),
      series('Workspaces near a limit', [['max by (quota) (identity_quotas_near_limit)', '{{quota}}']], {
        shows: 'Workspaces that use four fifths of a limit or more.',
        bad: 'many: the usual limits are too low for this fleet.',
        ...{ runbook: 'FewKeysActive', unit: 'short', width: 12 },
      }),
    ),
  ],
};
