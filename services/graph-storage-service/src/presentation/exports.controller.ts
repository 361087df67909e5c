import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { decodeCursor, encodeCursor, IdempotentPost, IdParam, PageQuery } from '@sociograph/service-host';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ReadExports } from '../application/read-exports';
import { RemoveExports } from '../application/remove-exports';
import { RequestExport } from '../application/request-export';
import { ExportAnswer, exportAnswer, ExportsPage } from './export-answers';
import { ExportBody, ExportLinkQuery, subjectOf } from './export-requests';
import { ExportWorker } from './export-worker';

const place = z.object({ after: z.uuid() });
const BINARY = { schema: { type: 'string', format: 'binary' } } as const;

/** Files of the graph, made in the background. Another workspace's export answers as if it did not exist. */
@ApiTags('exports')
@Controller('v1/exports')
@Roles('analyst', 'operator', 'admin')
export class ExportsController {
  constructor(
    private readonly requests: RequestExport,
    private readonly exports: ReadExports,
    private readonly removals: RemoveExports,
    private readonly worker: ExportWorker,
  ) {}

  @Post()
  @HttpCode(202)
  @UseInterceptors(IdempotentPost)
  @ApiOperation({ summary: 'Ask for a file of the graph, of an import, or of the surroundings of a person' })
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiAcceptedResponse({ type: ExportAnswer })
  async request(
    @Body() { network, of, format }: ExportBody,
    @CurrentPrincipal() { workspaceId, subject }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExportAnswer> {
    const wish = { workspaceId, network, subject: subjectOf(of), format };
    const wanted = await this.requests.execute(wish, subject);
    this.worker.nudge();
    void reply.header('location', `/v1/exports/${wanted.id}`);
    return exportAnswer({ export: wanted, link: undefined });
  }

  @Get()
  @ApiOperation({ summary: 'Exports of the workspace, newest first' })
  @ApiOkResponse({ type: ExportsPage })
  async list(
    @Query() { limit, cursor }: PageQuery,
    @CurrentPrincipal() { workspaceId }: Principal,
  ): Promise<ExportsPage> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, place).after;
    const { items, next } = await this.exports.page(workspaceId, { limit, after });
    return {
      items: items.map(exportAnswer),
      next: next === undefined ? null : encodeCursor({ after: next }),
    };
  }

  @Get(':id')
  @ApiOperation({ summary: 'How far an export is, and the link to its file once there is one' })
  @ApiOkResponse({ type: ExportAnswer })
  async one(@Param() { id }: IdParam, @CurrentPrincipal() { workspaceId }: Principal): Promise<ExportAnswer> {
    return exportAnswer(await this.exports.one(workspaceId, id));
  }

  @Get(':id/file')
  @ApiOperation({ summary: 'The file itself, by the link that the export shows' })
  @ApiOkResponse({
    description: 'GEXF, GraphML, or a zip of `people` and `friendships` as CSV or Parquet',
    content: {
      'application/octet-stream': BINARY,
      'application/gexf+xml': BINARY,
      'application/graphml+xml': BINARY,
      'application/zip': BINARY,
    },
  })
  async file(
    @Param() { id }: IdParam,
    @Query() { expires, signature }: ExportLinkQuery,
    @CurrentPrincipal() { workspaceId }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const file = await this.exports.file(workspaceId, id, { expiresAt: expires, signature });
    void reply.header('cache-control', 'private, no-store').header('x-content-type-options', 'nosniff');
    return new StreamableFile(Readable.from(file.contents, { objectMode: false }), {
      type: file.mediaType,
      disposition: `attachment; filename="${file.name}"`,
      length: file.bytes,
    });
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove an export and its file; one in the making ends' })
  @ApiNoContentResponse()
  async remove(
    @Param() { id }: IdParam,
    @CurrentPrincipal() { workspaceId, subject }: Principal,
  ): Promise<void> {
    await this.removals.one(workspaceId, id, subject);
  }
}
