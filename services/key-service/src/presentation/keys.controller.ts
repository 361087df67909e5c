import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader, ApiProperty, ApiPropertyOptional, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { DomainError } from '@sociograph/kernel';
import { currentCorrelationId } from '@sociograph/observability';
import {
  decodeCursor,
  encodeCursor,
  IdempotentPost,
  IdParam,
  type Page,
  PageQuery,
} from '@sociograph/service-host';
import { Type } from 'class-transformer';
import {
  IsDefined,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { z } from 'zod';
import { KeyKeeper, type StateChange } from '../application/change-key-state';
import { KeyRegistrar } from '../application/register-key';
import type { ApiKey, KeyState } from '../domain/api-key';
import { keyUnknown } from '../domain/errors';
import { KEY_KINDS, type KeyKind, NETWORK_NAMES } from '../domain/networks';
import { ApiKeys } from '../domain/ports';

const STATES: readonly KeyState[] = ['active', 'paused', 'invalid', 'replaced'];

class ConsentBody {
  @ApiProperty({ description: 'Who agreed that the pool uses this key', maxLength: 200 })
  @IsString({ message: 'must be a text' })
  @Length(1, 200, { message: 'must be 1 to 200 characters' })
  givenBy!: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'When, milliseconds since the Unix epoch; now unless told',
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number of milliseconds' })
  @Min(0, { message: 'must not be negative' })
  at?: number;
}

class LimitsBody {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Calls per second, at most what the kind allows',
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(1000, { message: 'must be at most 1000' })
  perSecond?: number;
}

export class RegisterKeyBody {
  @ApiProperty({ enum: NETWORK_NAMES })
  @IsIn([...NETWORK_NAMES], { message: `must be one of ${NETWORK_NAMES.join(', ')}` })
  network!: string;

  @ApiProperty({ enum: KEY_KINDS })
  @IsIn([...KEY_KINDS], { message: `must be one of ${KEY_KINDS.join(', ')}` })
  kind!: KeyKind;

  @ApiProperty({
    description: 'Sealed at once; no answer ever has it',
    minLength: 8,
    maxLength: 2048,
    writeOnly: true,
  })
  @IsString({ message: 'must be a text' })
  @Length(8, 2048, { message: 'must be 8 to 2048 characters' })
  token!: string;

  @ApiPropertyOptional({ maxLength: 200 })
  @IsOptional()
  @IsString({ message: 'must be a text' })
  @MaxLength(200, { message: 'must be at most 200 characters' })
  label?: string;

  @ApiProperty({ type: ConsentBody })
  @IsDefined({ message: 'must say who consented' })
  @ValidateNested()
  @Type(() => ConsentBody)
  consent!: ConsentBody;

  @ApiPropertyOptional({ type: LimitsBody })
  @IsOptional()
  @ValidateNested()
  @Type(() => LimitsBody)
  limits?: LimitsBody;

  @ApiPropertyOptional({ description: 'Label of the address that the token is bound to', maxLength: 64 })
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9.-]{0,63}$/, { message: 'must be lower-case letters, digits, dots and hyphens' })
  egress?: string;
}

class KeysQuery extends PageQuery {
  @ApiPropertyOptional({ enum: NETWORK_NAMES })
  @IsOptional()
  @IsIn([...NETWORK_NAMES], { message: `must be one of ${NETWORK_NAMES.join(', ')}` })
  network?: string;

  @ApiPropertyOptional({ enum: STATES })
  @IsOptional()
  @IsIn([...STATES], { message: `must be one of ${STATES.join(', ')}` })
  state?: KeyState;
}

class ConsentView {
  @ApiProperty() givenBy!: string;
  @ApiProperty({ type: 'integer' }) at!: number;
}

class LimitsView {
  @ApiProperty({ type: 'integer' }) perSecond!: number;
}

export class KeyView {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() network!: string;
  @ApiProperty({ enum: KEY_KINDS }) kind!: KeyKind;
  @ApiProperty({ type: String, nullable: true }) label!: string | null;
  @ApiProperty({ enum: STATES }) state!: KeyState;
  @ApiProperty({ type: String, nullable: true }) reason!: string | null;
  @ApiProperty({ type: LimitsView }) limits!: LimitsView;
  @ApiProperty({ type: String, nullable: true }) egress!: string | null;
  @ApiProperty({ type: ConsentView }) consent!: ConsentView;
  @ApiProperty({ type: 'integer' }) version!: number;
  @ApiProperty({ type: 'integer' }) createdAt!: number;
  @ApiProperty({ type: 'integer' }) updatedAt!: number;
}

class KeyPage {
  @ApiProperty({ type: [KeyView] }) items!: KeyView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

interface Reply {
  header(name: string, value: string): unknown;
}

const place = z.object({ after: z.uuid() });
const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'ETag of the state that is to be changed',
};

/** Keys of the caller's workspace. A key of another one answers as if it did not exist. */
@ApiTags('keys')
@Controller('v1/keys')
@Roles('admin', 'operator')
export class KeysController {
  constructor(
    private readonly registrar: KeyRegistrar,
    private readonly keeper: KeyKeeper,
    private readonly keys: ApiKeys,
  ) {}

  @Post()
  @UseInterceptors(IdempotentPost)
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiResponse({ status: 201, type: KeyView })
  async register(
    @Body() body: RegisterKeyBody,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    const { limits, ...described } = body;
    const key = await this.registrar.register({
      ...described,
      limits,
      workspaceId: principal.workspaceId,
      actor: { kind: 'person', id: principal.subject },
      correlationId: currentCorrelationId(),
    });
    reply.header('location', `/v1/keys/${key.id}`);
    return this.#show(key, reply);
  }

  @Get()
  @ApiResponse({ status: 200, type: KeyPage })
  async list(@Query() query: KeysQuery, @CurrentPrincipal() principal: Principal): Promise<Page<KeyView>> {
    const { network, state, limit } = query;
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, place).after;
    const found = await this.keys.list(
      principal.workspaceId,
      { network, state },
      { limit: limit + 1, after },
    );
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor({ after: last.id }) : null;
    return { items: items.map(viewOf), next };
  }

  @Get(':id')
  @ApiResponse({ status: 200, type: KeyView })
  async read(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    const key = await this.keys.find(principal.workspaceId, id);
    if (key === undefined) throw keyUnknown();
    return this.#show(key, reply);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: KeyView })
  async pause(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    return this.#show(await this.#change('pause', id, principal, ifMatch), reply);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 200, type: KeyView })
  async resume(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<KeyView> {
    return this.#show(await this.#change('resume', id, principal, ifMatch), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @Header('cache-control', 'no-store')
  @ApiHeader(IF_MATCH)
  @ApiResponse({ status: 204 })
  async delete(
    @Param() { id }: IdParam,
    @CurrentPrincipal() principal: Principal,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.#change('delete', id, principal, ifMatch);
  }

  #change(
    change: StateChange,
    keyId: string,
    principal: Principal,
    ifMatch: string | undefined,
  ): Promise<ApiKey> {
    return this.keeper.change({
      workspaceId: principal.workspaceId,
      keyId,
      change,
      actor: { kind: 'person', id: principal.subject },
      correlationId: currentCorrelationId(),
      ifVersion: versionOf(ifMatch),
    });
  }

  #show(key: ApiKey, reply: Reply): KeyView {
    reply.header('etag', `"${key.details.version}"`);
    return viewOf(key);
  }
}

function viewOf(key: ApiKey): KeyView {
  const { id, network, kind, label, state, reason, limits, egress, consent, version } = key.details;
  const { createdAt, updatedAt } = key.details;
  return { id, network, kind, label, state, reason, limits, egress, consent, version, createdAt, updatedAt };
}

function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const match = /^"(\d{1,9})"$/.exec(ifMatch);
  if (match !== null) return Number(match[1]);
  throw new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'If-Match must be an ETag of this key.',
    fields: [{ field: 'If-Match', message: 'must be an ETag of this key' }],
  });
}
