import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PageQuery } from '@sociograph/service-host';
import { Allow } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { AwaitPosition } from '../application/await-position';
import { positionMalformed } from '../domain/errors';
import { iso } from './query-shapes';

const DESCRIPTION = 'Answer only once the graph includes this position; waits up to 5 s, then 503';

/** Of questions without any other parameter. */
export const MIN_POSITION = {
  name: 'min-position',
  required: false,
  description: DESCRIPTION,
  type: String,
} as const;

export class PositionQuery {
  @ApiPropertyOptional({ description: DESCRIPTION })
  @Allow()
  'min-position'?: string;
}

export class PositionPageQuery extends PageQuery {
  @ApiPropertyOptional({ description: DESCRIPTION })
  @Allow()
  'min-position'?: string;
}

class FreshnessAnswer {
  @ApiProperty({ description: 'Positions that the answer includes at least; a token for `min-position`' })
  appliedUpTo!: string;
  @ApiProperty({ format: 'date-time', description: 'When the graph was seen to have them' })
  at!: string;
}

/** What every answer about the graph says besides; `FreshReads` adds it. */
export class FreshAnswer {
  @ApiProperty({ type: FreshnessAnswer })
  freshness?: FreshnessAnswer;
}

/** Waits for the position that a reader asks for, before the graph is read, and says what the answer includes. */
@Injectable()
export class FreshReads implements NestInterceptor {
  constructor(private readonly position: AwaitPosition) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const query = context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
    const wanted = query['min-position'];
    if (wanted !== undefined && typeof wanted !== 'string') throw positionMalformed();
    const { appliedUpTo, at } = await this.position.execute(wanted);
    const freshness: FreshnessAnswer = { appliedUpTo, at: iso(at) };
    return next.handle().pipe(map((answer: object) => ({ ...answer, freshness })));
  }
}
