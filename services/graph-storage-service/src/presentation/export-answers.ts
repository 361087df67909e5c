import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { ExportView } from '../application/read-exports';
import { EXPORT_FORMATS, exportFileName, type ExportSubject } from '../domain/export';

class ExportSubjectAnswer {
  @ApiPropertyOptional()
  person?: string;
  @ApiPropertyOptional()
  depth?: number;
  @ApiPropertyOptional()
  nodes?: number;
  @ApiPropertyOptional()
  import?: string;
}

class ExportCounts {
  @ApiProperty({ description: 'Read so far; once ready, people in the file' })
  people!: number;
  @ApiProperty({ description: 'Read so far; once ready, friendships in the file' })
  friendships!: number;
}

class ExportFailure {
  @ApiProperty()
  code!: string;
  @ApiProperty()
  message!: string;
}

export class ExportAnswer {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty()
  network!: string;
  @ApiPropertyOptional({ type: ExportSubjectAnswer, description: 'Absent: the whole graph' })
  of?: ExportSubjectAnswer;
  @ApiProperty({ enum: EXPORT_FORMATS })
  format!: string;
  @ApiProperty({ enum: ['waiting', 'running', 'ready', 'failed'] })
  state!: string;
  @ApiProperty({ type: ExportCounts })
  counts!: ExportCounts;
  @ApiProperty({ format: 'date-time' })
  requestedAt!: string;
  @ApiPropertyOptional({ format: 'date-time' })
  startedAt?: string;
  @ApiPropertyOptional({ format: 'date-time' })
  finishedAt?: string;
  @ApiProperty({ format: 'date-time', description: 'From then on the export and its file are gone' })
  expiresAt!: string;
  @ApiPropertyOptional({ description: 'Size of the file, once ready' })
  bytes?: number;
  @ApiPropertyOptional({ description: 'False when `nodes` left people within the distance out' })
  complete?: boolean;
  @ApiPropertyOptional({ description: 'Name of the file, once ready' })
  file?: string;
  @ApiPropertyOptional({
    format: 'uri-reference',
    description:
      'Where the file is, once ready. Relative to this API when the service hands it out (then the token is needed as ' +
      'for any request), else the address of a bucket (then without the token). A new one comes with each answer',
  })
  link?: string;
  @ApiPropertyOptional({ format: 'date-time', description: 'The link opens for 5 min' })
  linkExpiresAt?: string;
  @ApiPropertyOptional({ type: ExportFailure, description: 'Why there is no file' })
  error?: ExportFailure;
}

export class ExportsPage {
  @ApiProperty({ type: [ExportAnswer] })
  items!: ExportAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

export function exportAnswer({ export: one, link }: ExportView): ExportAnswer {
  const { state } = one;
  const of = subjectAnswer(one.subject);
  return {
    id: one.id,
    network: one.network,
    ...(of && { of }),
    format: one.format,
    state: state.kind,
    counts: { people: one.people, friendships: one.friendships },
    requestedAt: iso(one.requestedAt),
    ...('startedAt' in state && { startedAt: iso(state.startedAt) }),
    ...('finishedAt' in state && { finishedAt: iso(state.finishedAt) }),
    expiresAt: iso(one.expiresAt),
    ...(state.kind === 'ready' && {
      bytes: state.bytes,
      complete: state.complete,
      file: exportFileName(one),
    }),
    ...(link && { link: link.url, linkExpiresAt: iso(link.expiresAt) }),
    ...(state.kind === 'failed' && { error: { code: state.code, message: state.message } }),
  };
}

function subjectAnswer(subject: ExportSubject): ExportSubjectAnswer | undefined {
  switch (subject.kind) {
    case 'graph':
      return undefined;
    case 'import':
      return { import: subject.importId };
    case 'surroundings': {
      const { person, depth, nodes } = subject;
      return { person, depth, nodes };
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
