import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { DomainError } from '@sociograph/kernel';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsUUID, Matches, Max, Min } from 'class-validator';
import type { z } from 'zod';

export const MAX_PAGE = 200;

/** `limit` of an answer that has no further pages. */
export class LimitQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(MAX_PAGE, { message: `must be at most ${MAX_PAGE}` })
  limit: number = 50;
}

/** `limit` and `cursor` of a list; extend it where a list has filters. */
export class PageQuery extends LimitQuery {
  @ApiPropertyOptional({ description: 'The `next` of the page before', maxLength: 512 })
  @IsOptional()
  @Matches(/^[A-Za-z0-9_-]{1,512}$/, { message: 'must be the `next` of an earlier page' })
  cursor?: string;
}

/** A path parameter `id` that is a UUID. */
export class IdParam {
  @ApiProperty({ format: 'uuid' })
  @IsUUID(undefined, { message: 'must be a UUID' })
  id!: string;
}

/** One page in a stable order; `next` is null on the last one. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** Packs the place where the next page starts; callers must not look inside. */
export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Unpacks a cursor through `schema`; anything that we did not make is the caller's fault and named as `cursor`. */
export function decodeCursor<S extends z.ZodType>(cursor: string, schema: S): z.infer<S> {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new DomainError({
      code: 'REQUEST.INVALID',
      kind: 'invalid-input',
      message: 'The cursor is not one of this list.',
      fields: [{ field: 'cursor', message: 'must be the `next` of an earlier page' }],
      cause,
    });
  }
}
