import { Controller, Delete, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import {
  ApiExtension,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, CurrentToken, type Principal, Roles, type TokenLife } from '@sociograph/auth';
import { Clock } from '@sociograph/kernel';
import { currentCorrelationId } from '@sociograph/observability';
import { IdParam, sendEventStream } from '@sociograph/service-host';
import type { FastifyReply } from 'fastify';
import { ChangeImport, type ChangeImportCommand, type ImportCommand } from '../application/change-import';
import { FollowImports } from '../application/follow-imports';
import type { ImportRecord } from '../domain/ports';
import { IMPORT_EVENTS } from './import-event-shapes';
import { IF_MATCH, LAST_EVENT_ID, lastEventOf, revisionOf } from './import-requests';
import { etagOf, ImportAnswer, importAnswer } from './import-shapes';
import { ImportStream } from './import-stream';

interface Reply {
  header(name: string, value: string): unknown;
}

const IMPORT_ID = { name: 'id', format: 'uuid' } as const;

/** What becomes of an import after its start: the steps that its owner takes, and its events. */
@ApiTags('imports')
@Controller('v1/imports')
@Roles('analyst', 'operator', 'admin')
export class ImportLifeController {
  constructor(
    private readonly changing: ChangeImport,
    private readonly following: FollowImports,
    private readonly clock: Clock,
  ) {}

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Pause an import; calls on their way are finished' })
  @ApiParam(IMPORT_ID)
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: ImportAnswer })
  pause(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ImportAnswer> {
    return this.change('pause', commandOf(principal, id, ifMatch), reply);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let a paused import go on' })
  @ApiParam(IMPORT_ID)
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: ImportAnswer })
  resume(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ImportAnswer> {
    return this.change('resume', commandOf(principal, id, ifMatch), reply);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'End an import; what was imported stays' })
  @ApiParam(IMPORT_ID)
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: ImportAnswer })
  cancel(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ImportAnswer> {
    return this.change('cancel', commandOf(principal, id, ifMatch), reply);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Try again what failed',
    description:
      'Gaps of the causes partial, unreadable, gave-up and dead-lettered are open items again, and an import that had ended runs until it settles. Without such gaps nothing changes.',
  })
  @ApiParam(IMPORT_ID)
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: ImportAnswer })
  async retry(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ImportAnswer> {
    return shown(await this.changing.retry(commandOf(principal, id, ifMatch)), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an ended import and its certificate; what was imported stays in the graph',
  })
  @ApiParam(IMPORT_ID)
  @ApiHeader(IF_MATCH)
  @ApiNoContentResponse()
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.changing.handle({ ...commandOf(principal, id, ifMatch), step: 'delete' });
  }

  @Get(':id/events')
  @ApiOperation({
    summary: 'The import as it goes, as Server-Sent Events',
    description:
      'Events `state` (a step of its life) and `progress`, at most four a second; the first one is the present state. `end` says why the stream ends: import-ended, import-deleted, token-expired, token-revoked or shutting-down.',
  })
  @ApiParam(IMPORT_ID)
  @ApiHeader(LAST_EVENT_ID)
  @ApiExtension('x-events', IMPORT_EVENTS)
  @ApiOkResponse({ content: { 'text/event-stream': { schema: { type: 'string' } } } })
  async events(
    @CurrentPrincipal() { workspaceId }: Principal,
    @CurrentToken() token: TokenLife | undefined,
    @Param() { id }: IdParam,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const stream = new ImportStream(id, token, this.clock.nowMs());
    try {
      const stop = await this.following.follow(workspaceId, id, lastEventOf(lastEventId), stream);
      stream.onClosed(stop);
    } catch (error) {
      stream.readable.destroy();
      throw error;
    }
    await sendEventStream(reply, stream.readable);
  }

  private async change(
    step: ChangeImportCommand['step'],
    command: ImportCommand,
    reply: Reply,
  ): Promise<ImportAnswer> {
    return shown(await this.changing.handle({ ...command, step }), reply);
  }
}

function shown(record: ImportRecord, reply: Reply): ImportAnswer {
  reply.header('etag', etagOf(record));
  return importAnswer(record);
}

function commandOf(
  { workspaceId, subject }: Principal,
  importId: string,
  ifMatch: string | undefined,
): ImportCommand {
  return {
    workspaceId,
    importId,
    by: subject,
    correlationId: currentCorrelationId(),
    ifRevision: revisionOf(ifMatch),
  };
}
