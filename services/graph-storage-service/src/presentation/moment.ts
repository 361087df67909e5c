import { isISO8601, ValidateBy } from 'class-validator';

/**
 * Narrower than ISO 8601, whose weeks, days of the year and bare hours `Date.parse` cannot read, and which leaves
 * open where a time without a zone is meant. A date alone is its midnight, UTC, as `Date.parse` has it.
 */
const DATE_OR_ZONED_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Demands a moment that `Date.parse` reads. */
export function IsMoment(): PropertyDecorator {
  const defaultMessage = (): string =>
    'must be a moment with its zone, e.g. 2026-11-20T12:00:00Z, or a date, e.g. 2026-11-20';
  return ValidateBy({ name: 'isMoment', validator: { validate: isMoment, defaultMessage } });
}

/** The calendar is checked apart: `Date.parse` takes the 30th of February for the 2nd of March. */
export function isMoment(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    DATE_OR_ZONED_TIME.test(value) &&
    isISO8601(value, { strict: true }) &&
    !Number.isNaN(Date.parse(value))
  );
}
