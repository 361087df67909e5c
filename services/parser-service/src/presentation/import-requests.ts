import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { DomainError } from '@sociograph/kernel';
import { IdempotentPost, PageQuery } from '@sociograph/service-host';
import { IsIn, IsOptional, Matches } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { SHOWN_STATES, type ShownState } from './import-shapes';

export class ImportsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: SHOWN_STATES })
  @IsOptional()
  @IsIn(SHOWN_STATES, { message: `must be one of: ${SHOWN_STATES.join(', ')}` })
  state?: ShownState;

  @ApiPropertyOptional({ maxLength: 32, example: 'vk' })
  @IsOptional()
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, { message: 'must be the name of a network' })
  network?: string;
}

export class StartQuery {
  @ApiPropertyOptional({
    enum: ['true', 'false'],
    default: 'false',
    description: 'true: only the forecast is answered (200), nothing is stored',
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  dryRun?: 'true' | 'false';
}

/**
 * A dry run changes nothing: its answer is not kept under the Idempotency-Key, where the real request would find it,
 * and its status is 200.
 */
@Injectable()
export class IdempotentUnlessDry implements NestInterceptor {
  constructor(private readonly idempotent: IdempotentPost) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const { query } = http.getRequest<FastifyRequest<{ Querystring: StartQuery }>>();
    if (query.dryRun !== 'true') return this.idempotent.intercept(context, next);
    // Nest has set the status of the route before.
    void http.getResponse<FastifyReply>().code(200);
    return next.handle();
  }
}

export const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'ETag of the import as it was read; 412 when it took a step since. Progress is no step',
};

export const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  required: false,
  description: 'Id of the last event that was received; the ones after it follow',
};

/** The revision that `If-Match` names; undefined where any will do. */
export function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const match = /^"(\d{1,9})"$/.exec(ifMatch);
  if (match === null) throw badHeader('If-Match', 'must be an ETag of this import');
  return Number(match[1]);
}

/** The event after which a stream goes on; undefined where it begins. */
export function lastEventOf(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (!/^\d{1,15}$/.test(header))
    throw badHeader('Last-Event-ID', 'must be the id of an event of this import');
  return Number(header);
}

function badHeader(field: string, message: string): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: `${field} ${message}.`,
    fields: [{ field, message }],
  });
}
