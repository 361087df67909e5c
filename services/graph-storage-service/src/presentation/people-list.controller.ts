import { Controller, Get, Param, Query, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { DomainError } from '@sociograph/kernel';
import { decodeCursor, encodeCursor } from '@sociograph/service-host';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Length, Min } from 'class-validator';
import { z } from 'zod';
import { FindPeople } from '../application/find-people';
import type { PersonBrief } from '../domain/query-ports';
import { FreshAnswer, FreshReads, PositionPageQuery } from './fresh-reads';
import { EVERY_READER, iso, NetworkParam } from './query-shapes';

const COUNT = { message: 'must be a whole number, 0 or more' };
const WORDS = { message: 'must be 1 to 80 characters' };

class PeopleQuery extends PositionPageQuery {
  @ApiPropertyOptional({
    description: 'Beginning of "first last"; in order of it. By an index',
    example: 'ver',
  })
  @IsOptional()
  @IsString(WORDS)
  @Length(1, 80, WORDS)
  name?: string;

  @ApiPropertyOptional({
    description: 'Beginning of "last first"; in order of it. By an index',
    example: 'orl',
  })
  @IsOptional()
  @IsString(WORDS)
  @Length(1, 80, WORDS)
  lastName?: string;

  @ApiPropertyOptional({ description: 'Whole name of the city. By an index where no name is given' })
  @IsOptional()
  @IsString(WORDS)
  @Length(1, 80, WORDS)
  city?: string;

  @ApiPropertyOptional({ enum: ['active', 'deleted', 'banned'], description: 'Looked for among those found' })
  @IsOptional()
  @IsIn(['active', 'deleted', 'banned'], { message: 'must be active, deleted or banned' })
  state?: string;

  @ApiPropertyOptional({ enum: ['female', 'male', 'unknown'], description: 'Looked for among those found' })
  @IsOptional()
  @IsIn(['female', 'male', 'unknown'], { message: 'must be female, male or unknown' })
  sex?: string;

  @ApiPropertyOptional({ enum: ['true', 'false'], description: 'Only friends may see the lists' })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  closed?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    description: 'At least so many on their own list (0 where none was seen). Looked for among those found',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt(COUNT)
  @Min(0, COUNT)
  minFriends?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, description: 'At most so many on their own list' })
  @IsOptional()
  @Type(() => Number)
  @IsInt(COUNT)
  @Min(0, COUNT)
  maxFriends?: number;
}

class PersonBriefAnswer {
  @ApiProperty()
  id!: string;
  @ApiPropertyOptional({
    enum: ['active', 'deleted', 'banned'],
    description: 'Absent while only a list was seen',
  })
  state?: string;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  profile?: unknown;
  @ApiPropertyOptional({ format: 'date-time' })
  observedAt?: string;
  @ApiProperty({ description: 'Rises with every stored change' })
  version!: number;
}

class PeoplePage extends FreshAnswer {
  @ApiProperty({ type: [PersonBriefAnswer] })
  items!: PersonBriefAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

const place = z.strictObject({ id: z.string().min(1).max(64), name: z.string().max(200).optional() });

@ApiTags('people')
@Controller('v1/people/:network')
@Roles(...EVERY_READER)
@UseInterceptors(FreshReads)
export class PeopleListController {
  constructor(private readonly people: FindPeople) {}

  @Get()
  @ApiOperation({
    summary: 'People by what their profiles say',
    description:
      'In order of the name asked for, else of ids as text. Filters without an index may cost too much: 422.',
  })
  @ApiOkResponse({ type: PeoplePage })
  async list(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { network }: NetworkParam,
    @Query() { limit, cursor, name, lastName, city, state, sex, closed, minFriends, maxFriends }: PeopleQuery,
  ): Promise<PeoplePage> {
    if (name !== undefined && lastName !== undefined) throw oneName();
    const byName = name !== undefined || lastName !== undefined;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, byName ? namedPlace : plainPlace);
    const filter = {
      name,
      lastName,
      city,
      state,
      sex,
      closed: closed === undefined ? undefined : closed === 'true',
      minFriends,
      maxFriends,
    };
    const { items, next } = await this.people.execute({ workspaceId, network }, filter, { limit, after });
    return { items: items.map(briefAnswer), next: next === undefined ? null : encodeCursor(next) };
  }
}

const namedPlace = place.required();
const plainPlace = place.omit({ name: true });

function briefAnswer({ id, version, document }: PersonBrief): PersonBriefAnswer {
  const content = document?.content as { state: string; profile: unknown } | undefined;
  return {
    id,
    ...(document && content && { ...content, observedAt: iso(document.observedAt) }),
    version,
  };
}

function oneName(): DomainError {
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'One name can be asked for at a time.',
    fields: [{ field: 'lastName', message: 'cannot be asked for together with name' }],
  });
}
