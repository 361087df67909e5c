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
import { Clock } from '@sociograph/kernel';
import { currentCorrelationId } from '@sociograph/observability';
import { decodeCursor, encodeCursor, IdParam } from '@sociograph/service-host';
import { z } from 'zod';
import { ReadImports } from '../application/read-imports';
import { StartImport } from '../application/start-import';
import { scopeAsked } from './import-scope-shapes';
import { ageOf } from './refresh-age';
import { IdempotentUnlessDry, ImportsQuery, StartQuery } from './import-requests';
import {
  CertificateAnswer,
  certificateAnswer,
  DryRunAnswer,
  etagOf,
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
    private readonly reading: ReadImports,
    private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(202)
  @UseInterceptors(IdempotentUnlessDry)
  @ApiOperation({ summary: 'Start an import of people and friendships' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A repeat within 24 h gets the first answer',
  })
  @ApiAcceptedResponse({ type: StartedImportAnswer })
  @ApiOkResponse({ type: DryRunAnswer })
  async start(
    @CurrentPrincipal() principal: Principal,
    @Body() body: StartImportBody,
    @Query() { dryRun }: StartQuery,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<StartedImportAnswer | DryRunAnswer> {
    const command = {
      workspaceId: principal.workspaceId,
      startedBy: principal.subject,
      network: body.network,
      seeds: body.seeds ?? [],
      files: body.files,
      refresh: body.refresh === undefined ? undefined : ageOf(body.refresh.olderThan),
      ...scopeAsked(body),
      depth: body.depth ?? null,
      peopleLimit: body.limits?.people ?? null,
      callsLimit: body.limits?.calls ?? null,
      correlationId: currentCorrelationId(),
    };
    if (dryRun === 'true') return { forecast: (await this.starting.plan(command)).forecast };
    const { job, forecast } = await this.starting.handle(command);
    const { id, state } = job.snapshot;
    reply.header('location', `/v1/imports/${id}`);
    return startedAnswer(id, state, forecast);
  }

  @Get()
  @ApiOperation({ summary: 'Imports of the workspace, newest first' })
  @ApiOkResponse({ type: ImportPageAnswer })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query() query: ImportsQuery,
  ): Promise<ImportPageAnswer> {
    const { cursor, limit, state, network } = query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, z.uuid());
    const filter = { state, network };
    const { items, next } = await this.reading.page(principal.workspaceId, limit, after, filter);
    return {
      items: items.map((item) => importAnswer(item)),
      next: next === undefined ? null : encodeCursor(next),
    };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One import: its state and counters' })
  @ApiParam(IMPORT_ID)
  @ApiOkResponse({ type: ImportAnswer })
  async one(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ImportAnswer> {
    const found = await this.reading.one(principal.workspaceId, id);
    reply.header('etag', etagOf(found));
    return importAnswer(found, await this.reading.eta(found), this.clock.nowMs());
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
}
