import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseInterceptors } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { Principal } from '@sociograph/auth';
import { CurrentPrincipal, Roles } from '@sociograph/auth';
import { decodeCursor, encodeCursor, IdempotentPost, IdParam, PageQuery } from '@sociograph/service-host';
import { z } from 'zod';
import { ChangeImport, type ChangeImportCommand } from '../application/change-import';
import { ReadImports } from '../application/read-imports';
import { StartImport } from '../application/start-import';
import {
  CertificateAnswer,
  certificateAnswer,
  ImportAnswer,
  importAnswer,
  ImportPageAnswer,
  startedAnswer,
  StartedImportAnswer,
  StartImportBody,
} from './import-shapes';

interface Reply {
  header(name: string, value: string): unknown;
}

const IMPORT_ID = { name: 'id', format: 'uuid' } as const;

@ApiTags('imports')
@Controller('v1/imports')
@Roles('analyst', 'operator', 'admin')
export class ImportsController {
  constructor(
    private readonly starting: StartImport,
    private readonly changing: ChangeImport,
    private readonly reading: ReadImports,
  ) {}

  @Post()
  @HttpCode(202)
  @UseInterceptors(IdempotentPost)
  @ApiOperation({ summary: 'Start an import of people and friendships' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A repeat within 24 h gets the first answer',
  })
  @ApiAcceptedResponse({ type: StartedImportAnswer })
  async start(
    @CurrentPrincipal() principal: Principal,
    @Body() body: StartImportBody,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<StartedImportAnswer> {
    const { job, forecast } = await this.starting.handle({
      workspaceId: principal.workspaceId,
      startedBy: principal.subject,
      network: body.network,
      seeds: body.seeds,
      depth: body.depth ?? null,
      peopleLimit: body.limits?.people ?? null,
      callsLimit: body.limits?.calls ?? null,
    });
    const { id, state } = job.snapshot;
    reply.header('location', `/v1/imports/${id}`);
    return startedAnswer(id, state, forecast);
  }

  @Get()
  @ApiOperation({ summary: 'Imports of the workspace, newest first' })
  @ApiOkResponse({ type: ImportPageAnswer })
  async list(@CurrentPrincipal() principal: Principal, @Query() query: PageQuery): Promise<ImportPageAnswer> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, z.uuid());
    const { items, next } = await this.reading.page(principal.workspaceId, query.limit, after);
    return { items: items.map(importAnswer), next: next === undefined ? null : encodeCursor(next) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One import: its state and counters' })
  @ApiParam(IMPORT_ID)
  @ApiOkResponse({ type: ImportAnswer })
  async one(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<ImportAnswer> {
    return importAnswer(await this.reading.one(principal.workspaceId, id));
  }

  @Get(':id/certificate')
  @ApiOperation({ summary: 'What was expected, what was got, and each gap with its cause' })
  @ApiParam(IMPORT_ID)
  @ApiOkResponse({ type: CertificateAnswer })
  async certificate(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
  ): Promise<CertificateAnswer> {
    return certificateAnswer(await this.reading.certificate(principal.workspaceId, id));
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Pause an import; calls on their way are finished' })
  @ApiParam(IMPORT_ID)
  @ApiOkResponse({ type: ImportAnswer })
  pause(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<ImportAnswer> {
    return this.change(principal, id, 'pause');
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let a paused import go on' })
  @ApiParam(IMPORT_ID)
  @ApiOkResponse({ type: ImportAnswer })
  resume(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<ImportAnswer> {
    return this.change(principal, id, 'resume');
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'End an import; what was imported stays' })
  @ApiParam(IMPORT_ID)
  @ApiOkResponse({ type: ImportAnswer })
  cancel(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<ImportAnswer> {
    return this.change(principal, id, 'cancel');
  }

  private async change(
    { workspaceId }: Principal,
    importId: string,
    step: ChangeImportCommand['step'],
  ): Promise<ImportAnswer> {
    return importAnswer(await this.changing.handle({ workspaceId, importId, step }));
  }
}
