import { type ArgumentsHost, Catch, Injectable } from '@nestjs/common';
import type { Principal } from '@sociograph/auth';
import { type DomainError, type ErrorKind, isDomainError } from '@sociograph/kernel';
import { AppLogger, ProblemFilter } from '@sociograph/service-host';
import { AuditTrail } from '../domain/audit';

interface RefusedRequest {
  method: string;
  params?: { id?: string };
  routeOptions: { url?: string };
  principal?: Principal;
}

/** Refusals that say something about who asked; faults of form do not. */
const TELLING: ReadonlySet<ErrorKind> = new Set([
  'forbidden',
  'not-found',
  'conflict',
  'precondition-failed',
]);

/** Answers failures like everywhere, and tells the audit trail of attempts that were refused to somebody known. */
@Catch()
@Injectable()
export class RefusalAudit extends ProblemFilter {
  constructor(
    logger: AppLogger,
    private readonly audit: AuditTrail,
  ) {
    super(logger);
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() === 'http' && isDomainError(error) && TELLING.has(error.kind)) {
      this.#note(error, host.switchToHttp().getRequest<RefusedRequest>());
    }
    super.catch(error, host);
  }

  #note(error: DomainError, request: RefusedRequest): void {
    const { principal, method, params, routeOptions } = request;
    if (principal === undefined || (method === 'GET' && error.kind !== 'forbidden')) return;
    this.audit.refused({
      workspaceId: workspaceOf(principal),
      service: 'key-service',
      actor: { kind: 'person', id: principal.subject },
      action: actionOf(method, routeOptions.url ?? ''),
      target: params?.id === undefined ? 'keys' : `key/${params.id.slice(0, 64)}`,
      reason: error.code,
    });
  }
}

/** `POST /v1/keys/:id/pause` is `post.keys.pause`. */
function actionOf(method: string, route: string): string {
  const words = route.split('/').filter((part) => /^[a-z-]+$/.test(part));
  return [method.toLowerCase(), ...words].join('.').slice(0, 64);
}

/** Reading it throws for who has none. */
function workspaceOf(principal: Principal): string | undefined {
  try {
    return principal.workspaceId;
  } catch {
    return undefined;
  }
}
