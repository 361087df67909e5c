import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { type Inclusion, INCLUSIONS, PROFILE_FIELDS, type ProfileField } from '../domain/import-scope';
import { Nested } from './nested';

const MOST_POSTS = 100_000;
/** Weeks, days of a year and leap seconds are ISO 8601, too, but no moments that `Date.parse` knows. */
export const MOMENT =
  /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

class WallsBody {
  @ApiPropertyOptional({ format: 'date-time', description: 'Posts published from then on' })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'must be a moment, like 2026-11-01T00:00:00Z' })
  @Matches(MOMENT, { message: 'must be a moment with its offset from UTC, like 2026-11-01T00:00:00Z' })
  since?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MOST_POSTS,
    description: 'Newest posts at most',
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(MOST_POSTS, { message: `must be at most ${MOST_POSTS}` })
  last?: number;
}

/** What an import asks for beside the people themselves. */
export class ScopeBody {
  @ApiPropertyOptional({
    enum: INCLUSIONS,
    isArray: true,
    default: ['friends'],
    description:
      'What to import beside the people, who are always imported (`profiles` alone adds nothing). Members and walls ' +
      'of groups are read of the groups among the seeds',
  })
  @IsOptional()
  @IsArray({ message: 'must be a list' })
  @ArrayMaxSize(INCLUSIONS.length, { message: 'must name each kind once' })
  @ArrayUnique({ message: 'must name each kind once' })
  @IsIn(INCLUSIONS, { each: true, message: `must be one of: ${INCLUSIONS.join(', ')}` })
  include?: Inclusion[];

  @ApiPropertyOptional({
    enum: PROFILE_FIELDS,
    isArray: true,
    default: [],
    description: 'Fields of people to import beyond names and whether the profile is closed',
  })
  @IsOptional()
  @IsArray({ message: 'must be a list' })
  @ArrayMaxSize(PROFILE_FIELDS.length, { message: 'must name each field once' })
  @ArrayUnique({ message: 'must name each field once' })
  @IsIn(PROFILE_FIELDS, { each: true, message: `must be one of: ${PROFILE_FIELDS.join(', ')}` })
  fields?: ProfileField[];

  @ApiPropertyOptional({
    type: WallsBody,
    description: 'How far walls are read; both: what both allow. Absent: the newest 100 posts of each',
  })
  @IsOptional()
  @Nested(() => WallsBody)
  walls?: WallsBody;
}

/** As the use case takes it. */
export function scopeAsked({ include, fields, walls }: ScopeBody): {
  include: Inclusion[] | undefined;
  fields: ProfileField[] | undefined;
  walls: { since: number | undefined; last: number | undefined } | undefined;
} {
  const since = walls?.since === undefined ? undefined : Date.parse(walls.since);
  return { include, fields, walls: walls === undefined ? undefined : { since, last: walls.last } };
}
