import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PageQuery } from '@sociograph/service-host';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import type { KeyState } from '../domain/api-key';
import { KEY_KINDS, type KeyKind, NETWORK_NAMES } from '../domain/networks';

export const STATES: readonly KeyState[] = ['active', 'paused', 'invalid', 'replaced'];
const MOST_CALLS = 1_000_000_000;
/** The year 2100. */
const LATEST = 4_102_444_800_000;
/** No control characters and no half of a surrogate pair: neither can be stored or shown. */
const PLAIN = /^[^\p{Cc}\p{Cs}]*$/u;
const NOT_PLAIN = 'must have no control characters';
const LABEL = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Absent is left as it is; null is a value, and a wrong one where nothing can be taken away. */
const IfGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

/** One object of this class; `ValidateNested` alone takes a list of them, too, and the empty list always. */
function Nested(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    IsObject({ message: 'must be an object' })(target, property);
    ValidateNested()(target, property);
    Type(type)(target, property);
  };
}

function Calls(description: string, most = MOST_CALLS): PropertyDecorator {
  return (target, property) => {
    ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: most, description })(target, property);
    IsOptional()(target, property);
    IsInt({ message: 'must be a whole number' })(target, property);
    Min(1, { message: 'must be at least 1' })(target, property);
    Max(most, { message: `must be at most ${most}` })(target, property);
  };
}

export class ConsentBody {
  @ApiProperty({ description: 'Who agreed that the pool uses this key', maxLength: 200, example: 'Ada L.' })
  @IsString({ message: 'must be a text' })
  @Length(1, 200, { message: 'must be 1 to 200 characters' })
  @Matches(PLAIN, { message: NOT_PLAIN })
  givenBy!: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'When, milliseconds since the Unix epoch; now unless told',
    example: 1795000000000,
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number of milliseconds' })
  @Min(0, { message: 'must not be negative' })
  at?: number;
}

export class LimitsBody {
  @Calls('Calls per second, at most what the kind allows', 1000)
  perSecond?: number;

  @Calls('Calls in any 60 seconds')
  perMinute?: number;

  @Calls('Calls in any 60 minutes')
  perHour?: number;

  @Calls('Calls in any 24 hours')
  perDay?: number;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 1 },
    description: 'Calls of a method in any 24 hours, by its name',
    example: { 'wall.get': 5000 },
  })
  @IsOptional()
  @IsObject({ message: 'must be an object of methods and figures' })
  methodsPerDay?: Record<string, number>;
}

export class RefreshBody {
  @ApiProperty({
    description:
      'Sealed at once; no answer ever has it. It dies when it is used, and the pool keeps its successor',
    minLength: 8,
    maxLength: 2048,
    writeOnly: true,
    example: 'vk2.a.the-refresh-token',
  })
  @IsString({ message: 'must be a text' })
  @Length(8, 2048, { message: 'must be 8 to 2048 characters' })
  token!: string;

  @ApiProperty({ description: 'The app that the tokens were given to', maxLength: 64, example: '51234567' })
  @IsString({ message: 'must be a text' })
  @Matches(BUCKET, { message: 'must be 1 to 64 letters, digits, dots, hyphens or underscores' })
  clientId!: string;

  @ApiPropertyOptional({ description: 'The device id that the sign-in was answered with', maxLength: 512 })
  @IsOptional()
  @IsString({ message: 'must be a text' })
  @Matches(/^[\x21-\x7e]{1,512}$/, { message: 'must be 1 to 512 printable characters without spaces' })
  deviceId?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'When the token beside it ends, milliseconds since the Unix epoch: it is refreshed before that, ' +
      'otherwise when the network refuses it',
    minimum: 0,
    maximum: LATEST,
    example: 1795003600000,
  })
  @IsOptional()
  @IsInt({ message: 'must be a whole number of milliseconds' })
  @Min(0, { message: 'must not be negative' })
  @Max(LATEST, { message: `must be at most ${LATEST}` })
  expiresAt?: number;
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
    example: 'vk1.a.the-token-of-the-key',
  })
  @IsString({ message: 'must be a text' })
  @Length(8, 2048, { message: 'must be 8 to 2048 characters' })
  token!: string;

  @ApiPropertyOptional({ maxLength: 200, example: 'Ada, reader' })
  @IsOptional()
  @IsString({ message: 'must be a text' })
  @MaxLength(200, { message: 'must be at most 200 characters' })
  @Matches(PLAIN, { message: NOT_PLAIN })
  label?: string;

  @ApiProperty({ type: ConsentBody })
  @IsDefined({ message: 'must say who consented' })
  @Nested(() => ConsentBody)
  consent!: ConsentBody;

  @ApiPropertyOptional({
    type: RefreshBody,
    description: 'With it the pool gets another token by itself when this one ran out',
  })
  @IfGiven()
  @IsDefined({ message: 'must be an object' })
  @Nested(() => RefreshBody)
  refresh?: RefreshBody;

  @ApiPropertyOptional({ type: LimitsBody })
  @IsOptional()
  @Nested(() => LimitsBody)
  limits?: LimitsBody;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 1 })
  @IsOptional()
  @IsInt({ message: 'must be a whole number from 1 to 100' })
  weight?: number;

  @ApiPropertyOptional({
    description: 'Label of the address that the token is bound to',
    maxLength: 64,
    example: 'home',
  })
  @IsOptional()
  @Matches(LABEL, { message: 'must be lower-case letters, digits, dots and hyphens' })
  egress?: string;

  @ApiPropertyOptional({
    description:
      'Keys of one bucket are counted together: name it after the owner or the app that is limited',
    maxLength: 64,
    example: 'app-5012',
  })
  @IsOptional()
  @Matches(BUCKET, { message: 'must be 1 to 64 letters, digits, dots, hyphens or underscores' })
  bucket?: string;

  @ApiPropertyOptional({ description: 'Account or app that the token belongs to', maxLength: 64 })
  @IsOptional()
  @IsString({ message: 'must be a text' })
  @Length(1, 64, { message: 'must be 1 to 64 characters' })
  @Matches(PLAIN, { message: NOT_PLAIN })
  ownerId?: string;

  @ApiPropertyOptional({ type: [String], maxItems: 50, example: ['friends', 'wall'] })
  @IsOptional()
  @IsArray({ message: 'must be a list' })
  @ArrayMaxSize(50, { message: 'must be at most 50' })
  @IsString({ each: true, message: 'must be texts' })
  scopes?: string[];
}

export class AmendKeyBody {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 200 })
  @IsOptional()
  @IsString({ message: 'must be a text' })
  @MaxLength(200, { message: 'must be at most 200 characters' })
  @Matches(PLAIN, { message: NOT_PLAIN })
  label?: string | null;

  @ApiPropertyOptional({ type: LimitsBody, description: 'All of them: what is absent is no limit any more' })
  @IfGiven()
  @IsDefined({ message: 'must be an object' })
  @Nested(() => LimitsBody)
  limits?: LimitsBody;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100 })
  @IfGiven()
  @IsInt({ message: 'must be a whole number from 1 to 100' })
  weight?: number;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 64 })
  @IsOptional()
  @Matches(LABEL, { message: 'must be lower-case letters, digits, dots and hyphens' })
  egress?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 64 })
  @IsOptional()
  @Matches(BUCKET, { message: 'must be 1 to 64 letters, digits, dots, hyphens or underscores' })
  bucket?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 64 })
  @IsOptional()
  @IsString({ message: 'must be a text' })
  @Length(1, 64, { message: 'must be 1 to 64 characters' })
  @Matches(PLAIN, { message: NOT_PLAIN })
  ownerId?: string | null;

  @ApiPropertyOptional({ type: [String], maxItems: 50 })
  @IfGiven()
  @IsArray({ message: 'must be a list' })
  @ArrayMaxSize(50, { message: 'must be at most 50' })
  @IsString({ each: true, message: 'must be texts' })
  scopes?: string[];
}

export class RotateKeyBody {
  @ApiProperty({ description: 'The new token', minLength: 8, maxLength: 2048, writeOnly: true })
  @IsString({ message: 'must be a text' })
  @Length(8, 2048, { message: 'must be 8 to 2048 characters' })
  token!: string;

  @ApiPropertyOptional({ type: ConsentBody, description: 'That of the old token goes on unless it is told' })
  @IfGiven()
  @IsDefined({ message: 'must say who consented' })
  @Nested(() => ConsentBody)
  consent?: ConsentBody;

  @ApiPropertyOptional({
    type: RefreshBody,
    description: 'Of the new token; that of the old one is forgotten',
  })
  @IfGiven()
  @IsDefined({ message: 'must be an object' })
  @Nested(() => RefreshBody)
  refresh?: RefreshBody;
}

export class SharesBody {
  @ApiProperty({
    type: [String],
    maxItems: 50,
    description: 'All workspaces that may lease it beside its own; none: []',
    example: ['partner'],
  })
  @IsDefined({ message: 'must be a list of workspaces' })
  @IsArray({ message: 'must be a list of workspaces' })
  @ArrayMaxSize(50, { message: 'must be at most 50' })
  @IsString({ each: true, message: 'must be ids of workspaces' })
  workspaces!: string[];
}

export class KeysQuery extends PageQuery {
  @ApiPropertyOptional({ enum: NETWORK_NAMES })
  @IsOptional()
  @IsIn([...NETWORK_NAMES], { message: `must be one of ${NETWORK_NAMES.join(', ')}` })
  network?: string;

  @ApiPropertyOptional({ enum: STATES })
  @IsOptional()
  @IsIn([...STATES], { message: `must be one of ${STATES.join(', ')}` })
  state?: KeyState;

  @ApiPropertyOptional({ enum: KEY_KINDS })
  @IsOptional()
  @IsIn([...KEY_KINDS], { message: `must be one of ${KEY_KINDS.join(', ')}` })
  kind?: KeyKind;

  @ApiPropertyOptional({ maxLength: 200, description: 'What the label begins with' })
  @IsOptional()
  @Length(1, 200, { message: 'must be 1 to 200 characters' })
  label?: string;

  @ApiPropertyOptional({ maxLength: 64 })
  @IsOptional()
  @Matches(LABEL, { message: 'must be lower-case letters, digits, dots and hyphens' })
  egress?: string;

  @ApiPropertyOptional({ maxLength: 64 })
  @IsOptional()
  @Matches(BUCKET, { message: 'must be 1 to 64 letters, digits, dots, hyphens or underscores' })
  bucket?: string;
}
