import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { DomainError } from '@sociograph/kernel';
import type { ApiKey, KeyState } from '../domain/api-key';
import type { KeyLimits } from '../domain/key-settings';
import { KEY_KINDS, type KeyKind } from '../domain/networks';
import type { KeyHistoryEntry } from '../domain/api-keys';
import { STATES } from './key-bodies';

class ConsentView {
  @ApiProperty({ example: 'Ada L.' }) givenBy!: string;
  @ApiProperty({ type: 'integer', example: 1795000000000 }) at!: number;
  @ApiProperty({ type: 'integer', nullable: true }) endedAt!: number | null;
}

class LimitsView {
  @ApiProperty({ type: 'integer', example: 3 }) perSecond!: number;
  @ApiPropertyOptional({ type: 'integer' }) perMinute?: number;
  @ApiPropertyOptional({ type: 'integer' }) perHour?: number;
  @ApiPropertyOptional({ type: 'integer' }) perDay?: number;
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'integer' } })
  methodsPerDay?: Record<string, number>;
}

export class KeyView {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ example: 'vk' }) network!: string;
  @ApiProperty({ enum: KEY_KINDS }) kind!: KeyKind;
  @ApiProperty({ type: String, nullable: true }) label!: string | null;
  @ApiProperty({ enum: STATES }) state!: KeyState;
  @ApiProperty({ type: String, nullable: true, example: 'token-refused' }) reason!: string | null;
  @ApiProperty({ type: LimitsView }) limits!: KeyLimits;
  @ApiProperty({ type: 'integer' }) weight!: number;
  @ApiProperty({ type: String, nullable: true, description: 'null: it is counted alone' }) bucket!:
    string | null;
  @ApiProperty({ type: String, nullable: true }) egress!: string | null;
  @ApiProperty({ type: String, nullable: true }) ownerId!: string | null;
  @ApiProperty({ type: [String] }) scopes!: readonly string[];
  @ApiProperty({ type: [String] }) sharedWith!: readonly string[];
  @ApiProperty({ type: ConsentView }) consent!: ConsentView;
  @ApiProperty({ type: String, nullable: true, format: 'uuid' }) replaces!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uuid',
    description: 'Leased instead; this key becomes `replaced` when its open leases are gone',
  })
  replacedBy!: string | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Noted every few seconds' })
  lastUsedAt!: number | null;
  @ApiProperty({ type: 'integer', description: 'The ETag of the key' }) version!: number;
  @ApiProperty({ type: 'integer' }) createdAt!: number;
  @ApiProperty({ type: 'integer' }) updatedAt!: number;
}

export class KeyPage {
  @ApiProperty({ type: [KeyView] }) items!: KeyView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

class FaultView {
  @ApiProperty({ example: 'limits.perSecond' }) field!: string;
  @ApiProperty({ example: 'must be a whole number from 1 to 3' }) message!: string;
}

export class RowView {
  @ApiProperty({ type: 'integer', description: 'From 1; the header of a CSV does not count' }) row!: number;
  @ApiPropertyOptional({ format: 'uuid' }) id?: string;
  @ApiPropertyOptional({ type: [FaultView] }) errors?: readonly FaultView[];
}

export class BulkView {
  @ApiProperty({ type: 'integer' }) created!: number;
  @ApiProperty({ type: 'integer' }) refused!: number;
  @ApiProperty({ type: [RowView], description: 'One for each row, in their order' }) rows!: RowView[];
}

class ActorView {
  @ApiProperty({ enum: ['person', 'service'] }) kind!: 'person' | 'service';
  @ApiProperty() id!: string;
}

export class HistoryView {
  @ApiProperty({ type: 'integer' }) version!: number;
  @ApiProperty({ type: 'integer' }) at!: number;
  @ApiProperty({ type: ActorView }) actor!: ActorView;
  @ApiProperty({ example: 'key.pause' }) action!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'object', properties: { from: {}, to: {} } },
    example: { state: { from: 'active', to: 'paused' } },
  })
  changes!: KeyHistoryEntry['changes'];
  @ApiProperty({ type: String, nullable: true }) reason!: string | null;
  @ApiProperty({ type: String, nullable: true }) correlationId!: string | null;
}

export class HistoryPage {
  @ApiProperty({ type: [HistoryView] }) items!: HistoryView[];
  @ApiProperty({ type: String, nullable: true }) next!: string | null;
}

export interface Reply {
  header(name: string, value: string): unknown;
}

export function viewOf(key: ApiKey): KeyView {
  const { workspaceId: _, tokenVersion: __, refreshable: ___, ...shown } = key.details;
  return { ...shown, bucket: key.namedBucket };
}

/** The body of a key together with its ETag. */
export function show(key: ApiKey, reply: Reply): KeyView {
  reply.header('etag', `"${key.details.version}"`);
  return viewOf(key);
}

export const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'ETag of the state that is to be changed; 412 when somebody was first',
};

export function versionOf(ifMatch: string | undefined): number | undefined {
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
