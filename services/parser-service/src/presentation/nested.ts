import { Type } from 'class-transformer';
import { IsObject, ValidateIf, ValidateNested } from 'class-validator';

/** One object of this class; `ValidateNested` alone takes a list of them, too, and the empty list always. */
export function Nested(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    IsObject({ message: 'must be an object' })(target, property);
    ValidateNested()(target, property);
    Type(type)(target, property);
  };
}

/** May be left out; `null` is no way to do so where a field that is absent means something. */
export function UnlessAbsent(): PropertyDecorator {
  return ValidateIf((_object: unknown, value: unknown) => value !== undefined);
}
