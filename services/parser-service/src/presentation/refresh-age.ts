import { isISO8601, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { MOMENT } from './import-scope-shapes';

/** Weeks, days, hours, minutes, seconds: months and years have no fixed length. */
const DURATION =
  /^P(?!$)(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?!$)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})S)?)?$/;
const UNITS_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000];

/** As the use case takes it; undefined for what is neither a duration nor a moment. */
export function ageOf(text: string): { olderThanMs: number } | { before: number } | undefined {
  const duration = DURATION.exec(text);
  if (duration !== null) {
    const parts = UNITS_MS.map((unit, index) => Number(duration[index + 1] ?? 0) * unit);
    return { olderThanMs: parts.reduce((sum, part) => sum + part, 0) };
  }
  return MOMENT.test(text) && isISO8601(text, { strict: true }) ? { before: Date.parse(text) } : undefined;
}

@ValidatorConstraint()
export class AgeOrMoment implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && ageOf(value) !== undefined;
  }

  defaultMessage(): string {
    return 'must be a duration like P7D, or a moment like 2026-11-01T00:00:00Z';
  }
}
