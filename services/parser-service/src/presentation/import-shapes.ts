import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { encodePositions } from '@sociograph/contracts';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Max,
  MaxLength,
  Min,
  Validate,
} from 'class-validator';
import { type Certificate, GAP_SUBJECTS, type GapSubject } from '../domain/certificate';
import type { Forecast } from '../domain/forecast';
import type { Progress } from '../application/follow-imports';
import { ImportJob, type ImportSnapshot, type ImportState } from '../domain/import-job';
import { GAP_CAUSES, type GapCause } from '../domain/items';
import type { ImportRecord } from '../domain/ports';
import { ScopeBody } from './import-scope-shapes';
import { Nested, UnlessAbsent } from './nested';
import { AgeOrMoment } from './refresh-age';

/** What anybody sees of an import; one that was deleted is not there. */
export type ShownState = Exclude<ImportState, 'deleted'>;
export const SHOWN_STATES: ShownState[] = [
  'running',
  'paused',
  'settling',
  'completed',
  'cancelled',
  'failed',
];
const STATES = SHOWN_STATES;
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

class FilesBody {
  @ApiPropertyOptional({ format: 'uuid', description: 'An upload of friendships' })
  @IsOptional()
  @IsUUID('all', { message: 'must be the id of an upload' })
  friendships?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'An upload of people' })
  @IsOptional()
  @IsUUID('all', { message: 'must be the id of an upload' })
  people?: string;
}

class RefreshBody {
  @ApiProperty({
    example: 'P7D',
    description:
      'How long ago somebody was looked at last, or before which moment: a duration in weeks, days, hours, minutes and ' +
      'seconds (`P7D`, `PT12H`), or a moment with its offset from UTC',
  })
  @IsString({ message: 'must be a duration like P7D, or a moment like 2026-11-01T00:00:00Z' })
  @Validate(AgeOrMoment)
  olderThan!: string;
}

export class StartImportBody extends ScopeBody {
  @ApiProperty({
    example: 'vk',
    description: 'Graphs from files are `file` or `file-<name>`, each with ids of its own',
  })
  @IsString({ message: 'must be text' })
  @Length(1, 32, { message: 'must be the name of a network' })
  network!: string;

  @ApiPropertyOptional({
    type: [String],
    example: ['107'],
    maxItems: MOST_SEEDS,
    description:
      'First people and groups: ids (`107`, `id107`; `-1`, `club1`), screen names, or the addresses of their pages. ' +
      'Absent for a network of files: everybody whom the files name',
  })
  @UnlessAbsent()
  @IsArray({ message: 'must be a list of ids' })
  @ArrayMinSize(1, { message: 'must name at least one id' })
  @ArrayMaxSize(MOST_SEEDS, { message: `must name at most ${MOST_SEEDS} ids` })
  @IsString({ each: true, message: 'must hold ids as text' })
  @MaxLength(64, { each: true, message: 'must hold ids of at most 64 characters' })
  seeds?: string[];

  @ApiPropertyOptional({
    type: FilesBody,
    description: 'What a network of files reads; at least one of the two',
  })
  @UnlessAbsent()
  @Nested(() => FilesBody)
  files?: FilesBody;

  @ApiPropertyOptional({
    type: RefreshBody,
    description:
      'In place of seeds: people whom the workspace has imported from this network are looked at again, those whose ' +
      'friendships are disputed first. Nobody new is added',
  })
  @UnlessAbsent()
  @Nested(() => RefreshBody)
  refresh?: RefreshBody;

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

  @ApiPropertyOptional({ type: LimitsBody })
  @IsOptional()
  @Nested(() => LimitsBody)
  limits?: LimitsBody;
}

class CountAnswer {
  @ApiProperty({ type: 'integer' }) known!: number;
  @ApiProperty({
    type: 'integer',
    description: 'Final, with or without a gap; a retry does not take it back',
  })
  done!: number;
  @ApiProperty({ type: 'integer', description: 'Final, and not there; the certificate says why' })
  gaps!: number;
  @ApiProperty({ type: 'integer', description: 'To be fetched, or to be tried again' }) open!: number;
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

class FilesAnswer {
  @ApiPropertyOptional({ format: 'uuid' }) friendships?: string;
  @ApiPropertyOptional({ format: 'uuid' }) people?: string;
}

export class ImportAnswer {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() network!: string;
  @ApiProperty({ enum: STATES }) state!: ImportState;
  @ApiProperty({ type: 'integer' }) seeds!: number;
  @ApiPropertyOptional({ description: 'Uploads that it reads' }) files?: FilesAnswer;
  @ApiPropertyOptional({ format: 'date-time', description: 'A refresh: looked at last before this' })
  refreshBefore?: string;
  @ApiPropertyOptional({ type: 'integer' }) depth?: number;
  @ApiPropertyOptional() limits?: LimitsAnswer;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ format: 'date-time' }) changedAt!: string;
  @ApiProperty() counters!: CountersAnswer;
  @ApiProperty({ description: 'Nobody new can be found any more' }) frontierClosed!: boolean;
  @ApiPropertyOptional({ type: 'integer', description: 'Absent until the frontier is closed' })
  percent?: number;
  @ApiPropertyOptional({
    type: 'integer',
    description:
      'Milliseconds until it is completed, from its present pace; absent where nothing can be said',
  })
  etaMs?: number;
  @ApiPropertyOptional({ format: 'date-time' }) etaAt?: string;
  @ApiPropertyOptional({ description: 'For `min-position` of readers; from `settling` on' })
  positions?: string;
}

class RefreshCountsAnswer {
  @ApiProperty({ type: 'integer' }) people!: number;
  @ApiProperty({ type: 'integer' }) lists!: number;
  @ApiProperty({ type: 'integer', description: 'Of the lists: those in doubt, which come first' })
  disputed!: number;
}

class ForecastAnswer {
  @ApiPropertyOptional({ description: 'What a refresh will look at again' }) refresh?: RefreshCountsAnswer;
  @ApiProperty({ type: 'integer', description: 'At least so many calls' }) calls!: number;
  @ApiProperty({ type: 'integer', description: 'Time that one key alone would need' }) keyTimeMs!: number;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Null while no key can be used' })
  etaMs!: number | null;
}

export class DryRunAnswer {
  @ApiProperty() forecast!: ForecastAnswer;
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

class KindCountAnswer {
  @ApiProperty({ enum: GAP_SUBJECTS }) what!: GapSubject;
  @ApiProperty({ type: 'integer' }) expected!: number;
  @ApiProperty({ type: 'integer' }) got!: number;
  @ApiProperty({ type: 'integer' }) open!: number;
  @ApiProperty({ type: 'integer' }) gaps!: number;
}

class GapAnswer {
  @ApiProperty({ enum: GAP_SUBJECTS, description: '`list` is a list of friends' }) what!: GapSubject;
  @ApiProperty({ enum: GAP_CAUSES }) cause!: GapCause;
  @ApiPropertyOptional({
    description: 'What exactly, of one of them: the field that cannot be read, the last error',
  })
  detail?: string;
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
  @ApiProperty({ type: [KindCountAnswer], description: 'Each kind by itself; `lists` are all but people' })
  kinds!: KindCountAnswer[];
  @ApiProperty({ type: [GapAnswer] }) gaps!: GapAnswer[];
  @ApiProperty({ type: 'integer' }) callsMade!: number;
  @ApiProperty({ type: 'integer' }) friendshipObservations!: number;
}

/** Names the step of its life that the import has come to, not its progress: that changes all the time. */
export function etagOf({ job }: ImportRecord): string {
  return `"${job.snapshot.revision}"`;
}

function countersAnswer(job: ImportJob): CountersAnswer {
  const { counters } = job.snapshot;
  return {
    people: {
      known: counters.peopleKnown,
      done: counters.peopleDone,
      gaps: counters.peopleGaps + counters.peopleBeyond,
      open: job.openPeople,
    },
    lists: {
      known: counters.listsKnown,
      done: counters.listsDone,
      gaps: counters.listsGaps,
      open: job.openLists,
    },
    calls: { made: counters.callsMade },
    friendshipObservations: counters.friendshipObservations,
  };
}

/** The data of one event of a stream. */
export function progressAnswer(id: string, { mark, etaMs }: Progress): Record<string, unknown> {
  const job = ImportJob.restore({ ...({} as ImportSnapshot), state: mark.state, counters: mark.counters });
  return {
    id,
    state: mark.state,
    at: new Date(mark.at).toISOString(),
    counters: countersAnswer(job),
    frontierClosed: job.frontierClosed,
    ...(job.percent === undefined ? {} : { percent: job.percent }),
    ...(etaMs === undefined ? {} : { etaMs, etaAt: new Date(mark.at + etaMs).toISOString() }),
  };
}

export function importAnswer(
  { job, positions, seedCount }: ImportRecord,
  etaMs?: number,
  now = 0,
): ImportAnswer {
  const { snapshot, frontierClosed, percent } = job;
  const { depth, peopleLimit, callsLimit, state } = snapshot;
  const shown = state === 'settling' || state === 'completed';
  return {
    id: snapshot.id,
    network: snapshot.network,
    state,
    seeds: seedCount ?? snapshot.seeds.length,
    ...(snapshot.scope.refresh === undefined
      ? {}
      : { refreshBefore: new Date(snapshot.scope.refresh.before).toISOString() }),
    ...(snapshot.scope.files === undefined ? {} : { files: { ...snapshot.scope.files } }),
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
    counters: countersAnswer(job),
    frontierClosed,
    ...(percent === undefined ? {} : { percent }),
    ...(etaMs === undefined ? {} : { etaMs, etaAt: new Date(now + etaMs).toISOString() }),
    ...(shown ? { positions: encodePositions(positions) } : {}),
  };
}

export function startedAnswer(id: string, state: ImportState, forecast: Forecast): StartedImportAnswer {
  return { id, state, forecast };
}

export function certificateAnswer(certificate: Certificate): CertificateAnswer {
  return certificate;
}
