import { Type } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';

/** One object of this class; `ValidateNested` alone takes a list of them, too, and the empty list always. */
export function Nested(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    IsObject({ message: 'must be an object' })(target, property);
    ValidateNested()(target, property);
    Type(type)(target, property);
  };
}
