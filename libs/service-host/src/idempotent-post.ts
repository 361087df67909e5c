import { createHash } from 'node:crypto';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { HTTP_CODE_METADATA } from '@nestjs/common/constants';
import { DomainError, IdempotencyStore, type IdempotencyRequest } from '@sociograph/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, from, mergeMap, of, type Observable } from 'rxjs';
import { AppLogger } from './host-context';

const KEY = /^[\x21-\x7e]{1,128}$/;

/**
 * For creating POSTs: a repeat with the same `Idempotency-Key` gets the answer of the first one, without the effect
 * (DESIGN 8). Failures are not kept. It cannot help when the process dies between effect and `complete`: then the
 * key is free again after the store's time limit.
 */
@Injectable()
export class IdempotentPost implements NestInterceptor {
  constructor(
    private readonly store: IdempotencyStore,
    private readonly logger: AppLogger,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const req = http.getRequest<FastifyRequest & { principal?: { workspaceId?: string } }>();
    const reply = http.getResponse<FastifyReply>();
    const key = req.headers['idempotency-key'];
    if (key === undefined) return next.handle();
    if (typeof key !== 'string' || !KEY.test(key)) throw badKey();
    const request: IdempotencyRequest = {
      workspaceId: req.principal?.workspaceId ?? '',
      key,
      operation: `${req.method} ${req.routeOptions.url ?? ''}`,
      bodyHash: createHash('sha256')
        .update(canonical(contentOf(req)))
        .digest('hex'),
    };
    const claim = await this.store.claim(request);
    switch (claim.kind) {
      case 'repeat':
        void reply.headers({ ...claim.answer.headers, 'idempotency-replayed': 'true' });
        return of(claim.answer.body);
      case 'in-progress':
        throw new DomainError({
          code: 'REQUEST.IN_PROGRESS',
          kind: 'conflict',
          message: 'A request with this Idempotency-Key is still being carried out.',
          retryAfterSeconds: 1,
        });
      case 'different-body':
        throw new DomainError({
          code: 'REQUEST.KEY_REUSED',
          kind: 'unprocessable',
          message: 'This Idempotency-Key was used with another body.',
          fields: [{ field: 'Idempotency-Key', message: 'was used with another body' }],
        });
      case 'first':
        return this.carryOut(request, context, reply, next);
    }
  }

  private carryOut(
    request: IdempotencyRequest,
    context: ExecutionContext,
    reply: FastifyReply,
    next: CallHandler,
  ): Observable<unknown> {
    const status =
      (Reflect.getMetadata(HTTP_CODE_METADATA, context.getHandler()) as number | undefined) ?? 201;
    return next.handle().pipe(
      catchError(async (error: unknown) => {
        await this.store.release(request).catch((err: unknown) => this.note(err));
        throw error;
      }),
      mergeMap((body: unknown) => {
        const location = reply.getHeader('location');
        const headers = typeof location === 'string' ? { location } : {};
        // The effect is done: a store that fails now must not turn success into failure.
        const kept = this.store
          .complete(request, { status, body, headers })
          .catch((err: unknown) => this.note(err));
        return from(kept.then(() => body));
      }),
    );
  }

  private note(err: unknown): void {
    this.logger.warn({ err }, 'the answer for an Idempotency-Key could not be kept');
  }
}

function badKey(): DomainError {
  const message = 'must be 1 to 128 visible ASCII characters';
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: `The Idempotency-Key ${message}.`,
    fields: [{ field: 'Idempotency-Key', message }],
  });
}

/** The body, and with it what the path names: one key on two resources is two requests. */
function contentOf(req: FastifyRequest): unknown {
  const named = Object.keys((req.params as object | null) ?? {}).length > 0;
  return named ? { params: req.params, body: req.body } : req.body;
}

/** JSON with the fields of every object in order, so that the same content has the same digest. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_name, part: unknown) =>
      part !== null && typeof part === 'object' && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  );
}
