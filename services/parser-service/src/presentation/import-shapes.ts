import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { encodePositions } from '@sociograph/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import type { Certificate } from '../domain/certificate';
import type { Forecast } from '../domain/forecast';
import type { ImportState } from '../domain/import-job';
import type { ImportRecord } from '../domain/ports';

const STATES: ImportState[] = ['running', 'paused', 'settling', 'completed', 'cancelled', 'failed'];
const MOST_SEEDS = 50_000;

class LimitsBody {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100_000_000,
    description: 'People to import at most',
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(100_000_000, { message: 'must be at most 100000000' })
  people?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100_000_000,
    description: 'Calls to make at most',
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(100_000_000, { message: 'must be at most 100000000' })
  calls?: number;
}

export class StartImportBody {
  @ApiProperty({ example: 'vk' })
  @IsString({ message: 'must be text' })
  @Length(1, 32, { message: 'must be the name of a network' })
  network!: string;

  @ApiProperty({
    type: [String],
    example: ['107'],
    maxItems: MOST_SEEDS,
    description: 'Ids of the first people',
  })
  @IsArray({ message: 'must be a list of ids' })
  @ArrayMinSize(1, { message: 'must name at least one id' })
  @ArrayMaxSize(MOST_SEEDS, { message: `must name at most ${MOST_SEEDS} ids` })
  @IsString({ each: true, message: 'must hold ids as text' })
  @MaxLength(64, { each: true, message: 'must hold ids of at most 64 characters' })
  seeds!: string[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 32,
    description:
      'People within it become vertices, lists are fetched of those nearer. Absent: until nobody new is found',
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(32, { message: 'must be at most 32' })
  depth?: number;

  @ApiPropertyOptional({ enum: ['friends'], isArray: true, description: 'What to import beside the people' })
  @IsOptional()
  @IsArray({ message: 'must be a list' })
  @ArrayMaxSize(1, { message: 'must name each kind once' })
  @IsIn(['friends'], { each: true, message: 'must be one of: friends' })
  include?: string[];

  @ApiPropertyOptional({ type: LimitsBody })
  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => LimitsBody)
  limits?: LimitsBody;
}

class CountAnswer {
  @ApiProperty({ type: 'integer' }) known!: number;
  @ApiProperty({ type: 'integer', description: 'Final, with or without a gap' }) done!: number;
  @ApiProperty({ type: 'integer', description: 'Final, and not there; the certificate says why' })
  gaps!: number;
}

class MadeAnswer {
  @ApiProperty({ type: 'integer' }) made!: number;
}

class CountersAnswer {
  @ApiProperty() people!: CountAnswer;
  @ApiProperty() lists!: CountAnswer;
  @ApiProperty() calls!: MadeAnswer;
  @ApiProperty({ type: 'integer', description: 'Ids seen in lists; both ends of a friendship count' })
  friendshipObservations!: number;
}

class LimitsAnswer {
  @ApiPropertyOptional({ type: 'integer' }) people?: number;
  @ApiPropertyOptional({ type: 'integer' }) calls?: number;
}

export class ImportAnswer {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() network!: string;
  @ApiProperty({ enum: STATES }) state!: ImportState;
  @ApiProperty({ type: 'integer' }) seeds!: number;
  @ApiPropertyOptional({ type: 'integer' }) depth?: number;
  @ApiPropertyOptional() limits?: LimitsAnswer;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ format: 'date-time' }) changedAt!: string;
  @ApiProperty() counters!: CountersAnswer;
  @ApiProperty({ description: 'Nobody new can be found any more' }) frontierClosed!: boolean;
  @ApiPropertyOptional({ type: 'integer', description: 'Absent until the frontier is closed' })
  percent?: number;
  @ApiPropertyOptional({ description: 'For `min-position` of readers; from `settling` on' })
  positions?: string;
}

class ForecastAnswer {
  @ApiProperty({ type: 'integer', description: 'At least so many calls' }) calls!: number;
  @ApiProperty({ type: 'integer', description: 'Time that one key alone would need' }) keyTimeMs!: number;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Null while no key can be used' })
  etaMs!: number | null;
}

export class StartedImportAnswer {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ enum: STATES }) state!: ImportState;
  @ApiProperty() forecast!: ForecastAnswer;
}

export class ImportPageAnswer {
  @ApiProperty({ type: [ImportAnswer] }) items!: ImportAnswer[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

class PeopleAndListsAnswer {
  @ApiProperty({ type: 'integer' }) people!: number;
  @ApiProperty({ type: 'integer' }) lists!: number;
}

class GapAnswer {
  @ApiProperty({ enum: ['person', 'list'] }) what!: 'person' | 'list';
  @ApiProperty({
    enum: ['private', 'hidden', 'deleted', 'unknown', 'partial', 'limit-reached', 'gave-up', 'withdrawn'],
  })
  cause!: string;
  @ApiProperty({ type: 'integer' }) count!: number;
  @ApiProperty({ type: [String], description: 'The first 1,000 of them' }) people!: readonly string[];
}

export class CertificateAnswer {
  @ApiProperty({ format: 'uuid' }) importId!: string;
  @ApiProperty() network!: string;
  @ApiProperty({ enum: STATES }) state!: ImportState;
  @ApiProperty({ description: 'Nothing is open: nothing in it will change' }) final!: boolean;
  @ApiProperty() expected!: PeopleAndListsAnswer;
  @ApiProperty() got!: PeopleAndListsAnswer;
  @ApiProperty() open!: PeopleAndListsAnswer;
  @ApiProperty({ type: [GapAnswer] }) gaps!: GapAnswer[];
  @ApiProperty({ type: 'integer' }) callsMade!: number;
  @ApiProperty({ type: 'integer' }) friendshipObservations!: number;
}

export function importAnswer({ job, positions }: ImportRecord): ImportAnswer {
  const { snapshot, frontierClosed, percent } = job;
  const { depth, peopleLimit, callsLimit, counters, state } = snapshot;
  const shown = state === 'settling' || state === 'completed';
  return {
    id: snapshot.id,
    network: snapshot.network,
    state,
    seeds: snapshot.seeds.length,
    ...(depth === null ? {} : { depth }),
    ...(peopleLimit === null && callsLimit === null
      ? {}
      : {
          limits: {
            ...(peopleLimit === null ? {} : { people: peopleLimit }),
            ...(callsLimit === null ? {} : { calls: callsLimit }),
          },
        }),
    createdAt: new Date(snapshot.createdAt).toISOString(),
    changedAt: new Date(snapshot.changedAt).toISOString(),
    counters: {
      people: {
        known: counters.peopleKnown,
        done: counters.peopleDone,
        gaps: counters.peopleGaps + counters.peopleBeyond,
      },
      lists: { known: counters.listsKnown, done: counters.listsDone, gaps: counters.listsGaps },
      calls: { made: counters.callsMade },
      friendshipObservations: counters.friendshipObservations,
    },
    frontierClosed,
    ...(percent === undefined ? {} : { percent }),
    ...(shown ? { positions: encodePositions(positions) } : {}),
  };
}

export function startedAnswer(id: string, state: ImportState, forecast: Forecast): StartedImportAnswer {
  return { id, state, forecast };
}

export function certificateAnswer(certificate: Certificate): CertificateAnswer {
  return certificate;
}
