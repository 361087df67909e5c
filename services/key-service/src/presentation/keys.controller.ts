import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Res,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { currentCorrelationId } from '@sociograph/observability';
import { decodeCursor, encodeCursor, IdempotentPost, IdParam, type Page } from '@sociograph/service-host';
import { z } from 'zod';
import { KeyEditor } from '../application/amend-key';
import { type KeyCommand, KeyKeeper, type StateChange } from '../application/change-key-state';
import { KeyRegistrar } from '../application/register-key';
import { KeyRotator } from '../application/rotate-key';
import { keyUnknown } from '../domain/errors';
import { ApiKeys } from '../domain/api-keys';
import { AmendKeyBody, KeysQuery, RegisterKeyBody, RotateKeyBody, SharesBody } from './key-bodies';
import { IF_MATCH, KeyPage, KeyView, type Reply, show, versionOf, viewOf } from './key-views';
import { RefusalAudit } from './refusal-audit';

const place = z.object({ after: z.uuid() });

/** Keys of the caller's workspace. A key of another one answers as if it did not exist. */
@ApiTags('keys')
@Controller('v1/keys')
@Roles('admin', 'operator')
@UseFilters(RefusalAudit)
export class KeysController {
  constructor(
    private readonly registrar: KeyRegistrar,
    private readonly keeper: KeyKeeper,
    private readonly editor: KeyEditor,
    private readonly rotator: KeyRotator,
    private readonly keys: ApiKeys,
  ) {}

  @Post()
  @UseInterceptors(IdempotentPost)
  @ApiOperation({ summary: 'Take a key into the pool' })
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiResponse({ status: 201, type: KeyView })
  async register(
    @Body() body: RegisterKeyBody,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    const key = await this.registrar.register({
      ...body,
      workspaceId: principal.workspaceId,
      actor: { kind: 'person', id: principal.subject },
      correlationId: currentCorrelationId(),
    });
    reply.header('location', `/v1/keys/${key.id}`);
    return show(key, reply);
  }

  @Get()
  @Roles('admin', 'operator', 'analyst', 'viewer')
  @ApiOperation({ summary: 'Keys in the order of their ids' })
  @ApiResponse({ status: 200, type: KeyPage })
  async list(@Query() query: KeysQuery, @CurrentPrincipal() principal: Principal): Promise<Page<KeyView>> {
    const { limit, cursor, label, ...filter } = query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, place).after;
    const found = await this.keys.list(
      principal.workspaceId,
      { ...filter, labelPrefix: label },
      { limit: limit + 1, after },
    );
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor({ after: last.id }) : null;
    return { items: items.map(viewOf), next };
  }

  @Get(':id')
  @Roles('admin', 'operator', 'analyst', 'viewer')
  @ApiOperation({ summary: 'One key' })
  @ApiResponse({ status: 200, type: KeyView })
  async read(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    const key = await this.keys.find(principal.workspaceId, id);
    if (key === undefined) throw keyUnknown();
    return show(key, reply);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change limits, weight, label, egress, bucket, owner or scopes' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: KeyView })
  async amend(
    @Param() { id }: IdParam,
    @Body() body: AmendKeyBody,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    return show(await this.editor.amend({ ...commandOf(id, principal, ifMatch), settings: body }), reply);
  }

  @Put(':id/shares')
  @ApiOperation({ summary: 'Say which other workspaces may lease it' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: KeyView })
  async share(
    @Param() { id }: IdParam,
    @Body() { workspaces }: SharesBody,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    return show(await this.editor.share({ ...commandOf(id, principal, ifMatch), workspaces }), reply);
  }

  @Post(':id/rotate')
  @UseInterceptors(IdempotentPost)
  @ApiOperation({ summary: 'Put a new token in its place: a new key, leased instead from now on' })
  @ApiHeader(IF_MATCH)
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiResponse({ status: 201, type: KeyView })
  async rotate(
    @Param() { id }: IdParam,
    @Body() body: RotateKeyBody,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    const key = await this.rotator.rotate({ ...commandOf(id, principal, ifMatch), ...body });
    reply.header('location', `/v1/keys/${key.id}`);
    return show(key, reply);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'No new leases, and slots that were not used are void' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: KeyView })
  async pause(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    return this.#change('pause', commandOf(id, principal, ifMatch), reply);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Lease a paused key again' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: KeyView })
  async resume(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    return this.#change('resume', commandOf(id, principal, ifMatch), reply);
  }

  @Post(':id/withdraw-consent')
  @HttpCode(200)
  @ApiOperation({ summary: 'Its owner takes the consent back: out at once, the token is destroyed' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: KeyView })
  async withdrawConsent(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    return this.#change('withdrawConsent', commandOf(id, principal, ifMatch), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Take it out for good: the token is destroyed, the history stays' })
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 204 })
  async delete(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.keeper.change({ ...commandOf(id, principal, ifMatch), change: 'delete' });
  }

  async #change(change: StateChange, command: KeyCommand, reply: Reply): Promise<KeyView> {
    return show(await this.keeper.change({ ...command, change }), reply);
  }
}

function commandOf(keyId: string, principal: Principal, ifMatch: string | undefined): KeyCommand {
  return {
    workspaceId: principal.workspaceId,
    keyId,
    actor: { kind: 'person', id: principal.subject },
    correlationId: currentCorrelationId(),
    ifVersion: versionOf(ifMatch),
  };
}
