import { ValidationPipe } from '@nestjs/common';
import { DomainError, type FieldFault } from '@sociograph/kernel';
import type { ValidationError } from 'class-validator';

/** More faults than this are not listed: the answer must not grow with the input. */
const MAX_FAULTS = 50;

/**
 * Checks bodies, queries and path parameters against their DTO classes. Unknown fields are refused, types are not
 * guessed (a DTO says `@Type(() => Number)` where the query's text becomes a number), every fault names its field
 * as the caller wrote it: `limits.people`, `seeds.0`.
 */
export function requestValidation(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => {
      const fields = errors.flatMap((error) => faultsOf(error, '')).slice(0, MAX_FAULTS);
      const names = fields.slice(0, 5).map((fault) => fault.field);
      return new DomainError({
        code: 'REQUEST.INVALID',
        kind: 'invalid-input',
        message: `The request has faults: ${names.join(', ')}${fields.length > 5 ? ', ...' : ''}.`,
        fields,
      });
    },
  });
}

/** Rules about presence and type, which speak before others: a limit explains nothing to who sent the wrong type. */
const TYPE_RULES = [
  'isDefined',
  'isInt',
  'isNumber',
  'isString',
  'isArray',
  'isObject',
  'isBoolean',
  'nestedValidation',
];

function foremost(rules: string[]): string | undefined {
  return TYPE_RULES.find((rule) => rules.includes(rule)) ?? rules.at(-1);
}

function faultsOf(error: ValidationError, prefix: string): FieldFault[] {
  const field = `${prefix}${error.property ?? 'body'}`;
  const rule = foremost(Object.keys(error.constraints ?? {}));
  const message = rule === 'whitelistValidation' ? 'is not a known field' : error.constraints?.[rule ?? ''];
  const own = message === undefined ? [] : [{ field, message }];
  return [...own, ...(error.children ?? []).flatMap((child) => faultsOf(child, `${field}.`))];
}
