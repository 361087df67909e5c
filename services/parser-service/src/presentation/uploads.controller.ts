import { Readable } from 'node:stream';
import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  PayloadTooLargeException,
  Post,
  Query,
  Req,
  Res,
  UnsupportedMediaTypeException,
} from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { DomainError } from '@sociograph/kernel';
import { currentCorrelationId } from '@sociograph/observability';
import { decodeCursor, encodeCursor, IdParam, PageQuery, StreamedBody } from '@sociograph/service-host';
import { IsOptional, Matches, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { KeepUploads, TakeUpload } from '../application/take-upload';
import { PROFILE_FIELDS, type ProfileField } from '../domain/import-scope';
import { FILE_KINDS, type FileKind, type Upload, UPLOAD_LIMITS } from '../domain/upload';

const TYPES = [
  'text/csv',
  'text/plain',
  'application/gzip',
  'application/x-gzip',
  'application/octet-stream',
];
const UPLOAD_ID = { name: 'id', format: 'uuid' } as const;
const SIZES =
  `At most ${UPLOAD_LIMITS.megabytes} MB as it is sent, 256 MB unpacked, ` +
  `${UPLOAD_LIMITS.people.toLocaleString('en')} people and ${UPLOAD_LIMITS.friendships.toLocaleString('en')} friendships.`;

class UploadQuery {
  @ApiPropertyOptional({
    default: 'file',
    maxLength: 32,
    example: 'file-club',
    description:
      'The graph that the file belongs to: `file`, or `file-` and a name. Ids of different graphs never meet',
  })
  @IsOptional()
  @MaxLength(32, { message: 'must have at most 32 characters' })
  @Matches(/^file(-[a-z0-9]+)*$/, { message: 'must be file, or file- and small letters, digits and dashes' })
  network?: string;
}

export class UploadAnswer {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() network!: string;
  @ApiProperty({ enum: FILE_KINDS }) kind!: FileKind;
  @ApiProperty({ description: 'Of the file as it is unpacked, in hexadecimal' }) sha256!: string;
  @ApiProperty({ type: 'integer', description: 'Unpacked' }) bytes!: number;
  @ApiProperty({ type: 'integer' }) people!: number;
  @ApiProperty({ type: 'integer', description: 'Each once' }) friendships!: number;
  @ApiProperty({ enum: PROFILE_FIELDS, isArray: true, description: 'Columns beyond names and `closed`' })
  fields!: ProfileField[];
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ format: 'date-time', description: 'The last time that somebody sent it' })
  keptSince!: string;
}

export class UploadPageAnswer {
  @ApiProperty({ type: [UploadAnswer] }) items!: UploadAnswer[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

/** Described with those of all creating operations. */
const LOCATED = { Location: { $ref: '#/components/headers/Location' } };

/** Files of people and friendships, for imports of networks of files. */
@ApiTags('uploads')
@Controller('v1/uploads')
@Roles('analyst', 'operator', 'admin')
export class UploadsController {
  constructor(
    private readonly taking: TakeUpload,
    private readonly keeping: KeepUploads,
  ) {}

  @Post()
  @StreamedBody(UPLOAD_LIMITS.megabytes, ...TYPES)
  @ApiOperation({
    summary: 'Upload a file of friendships or of people',
    description:
      'Friendships: two whole numbers a line (blanks, tab or comma between them; lines with # or % are comments), or CSV ' +
      `with the columns from and to. People: CSV with id, name (or firstName, lastName), closed, ${PROFILE_FIELDS.join(', ')}. ` +
      'CSV has commas, semicolons or tabs, and is UTF-8. Plain or gzip. ' +
      `${SIZES} What it is, its first line tells. A file with a fault is refused as a whole (422 names the lines); the same ` +
      'file again is the same upload (200).',
  })
  @ApiConsumes(...TYPES)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiCreatedResponse({ type: UploadAnswer, headers: LOCATED })
  @ApiOkResponse({ type: UploadAnswer, description: 'It was there already', headers: LOCATED })
  async upload(
    @CurrentPrincipal() { workspaceId, subject }: Principal,
    @Query() { network = 'file' }: UploadQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UploadAnswer> {
    const correlationId = currentCorrelationId();
    const body = streamOf(request);
    const taken = await this.taking.handle({ workspaceId, by: subject, network, body, correlationId });
    if (taken.kind === 'too-large') {
      // The rest of the body is not read: the connection is good for nothing more.
      void reply.header('connection', 'close');
      throw new PayloadTooLargeException(SIZES);
    }
    if (!taken.isNew) void reply.code(200);
    void reply.header('location', `/v1/uploads/${taken.upload.id}`);
    return answerOf(taken.upload);
  }

  @Get()
  @ApiOperation({ summary: 'Uploads of the workspace, newest first' })
  @ApiOkResponse({ type: UploadPageAnswer })
  async list(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Query() { cursor, limit }: PageQuery,
  ): Promise<UploadPageAnswer> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, z.uuid());
    const { items, next } = await this.keeping.page(workspaceId, limit, after);
    return { items: items.map(answerOf), next: next === undefined ? null : encodeCursor(next) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'What an uploaded file holds' })
  @ApiParam(UPLOAD_ID)
  @ApiOkResponse({ type: UploadAnswer })
  async one(@CurrentPrincipal() { workspaceId }: Principal, @Param() { id }: IdParam): Promise<UploadAnswer> {
    return answerOf(await this.keeping.one(workspaceId, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an upload that no import reads any more; what was imported stays' })
  @ApiParam(UPLOAD_ID)
  @ApiNoContentResponse()
  remove(
    @CurrentPrincipal() { workspaceId, subject: by }: Principal,
    @Param() { id }: IdParam,
  ): Promise<void> {
    return this.keeping.remove(workspaceId, id, { by, correlationId: currentCorrelationId() });
  }
}

function streamOf({ body }: FastifyRequest): Readable {
  if (body instanceof Readable) return body;
  if (body !== undefined) throw new UnsupportedMediaTypeException(`Send the file as ${TYPES.join(', ')}`);
  throw new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'The body must be a file.',
    fields: [{ field: 'body', message: 'must be a file' }],
  });
}

function answerOf(upload: Upload): UploadAnswer {
  const { id, network, kind, digest, bytes, people, friendships, fields, createdAt, keptSince } = upload;
  return {
    ...{ id, network, kind, sha256: digest, bytes, people, friendships, fields: [...fields] },
    createdAt: new Date(createdAt).toISOString(),
    keptSince: new Date(keptSince).toISOString(),
  };
}
