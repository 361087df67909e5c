import {
  applyDecorators,
  createParamDecorator,
  SetMetadata,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { Principal, Role } from './principal';
import type { TokenLife } from './token-life';

export const ACCESS = 'sociograph:access';

/** Who may call a route. A route that declares nothing may be called by nobody. */
export type Access = { kind: 'public' } | { kind: 'roles'; roles: readonly Role[] };

function access(value: Access): CustomDecorator {
  return SetMetadata(ACCESS, value);
}

/** Opens a route, or all of a controller, to callers without a token. */
export function Public(): MethodDecorator & ClassDecorator {
  return applyDecorators(access({ kind: 'public' }), ApiExtension('x-access', 'public'));
}

/** Opens a route, or all of a controller, to callers with any of these roles; the method's own list wins. */
export function Roles(first: Role, ...others: Role[]): MethodDecorator & ClassDecorator {
  const roles = [first, ...others];
  return applyDecorators(access({ kind: 'roles', roles }), ApiExtension('x-access', roles));
}

/** The caller, as a parameter of a controller's method; undefined on public routes. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal | undefined =>
    context.switchToHttp().getRequest<{ principal?: Principal }>().principal,
);

/** The caller's token as far as answers that last have to know it (`watchToken`); undefined on public routes. */
export const CurrentToken = createParamDecorator(
  (_: unknown, context: ExecutionContext): TokenLife | undefined =>
    context.switchToHttp().getRequest<{ token?: TokenLife }>().token,
);
