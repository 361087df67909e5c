import type { GapCause } from './items';

/**
 * Whether fetching once more can bring what is missing. What the network said of a person (private, deleted) it would
 * say again, a limit still holds, and what was withdrawn was given up by the owner.
 */
export const WORTH_A_RETRY = {
  private: false,
  hidden: false,
  deleted: false,
  banned: false,
  unknown: false,
  partial: true,
  unreadable: true,
  'limit-reached': false,
  'gave-up': true,
  withdrawn: false,
  'dead-lettered': true,
} as const satisfies Record<GapCause, boolean>;

/** The causes whose gaps become open items again. */
export const RETRIED_CAUSES = (Object.keys(WORTH_A_RETRY) as GapCause[]).filter(
  (cause) => WORTH_A_RETRY[cause],
);
