import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { KeyRest } from '../domain/key-rests';

class LimitUsageView {
  @ApiProperty({ example: 'day:wall.get', description: 'minute, hour, day or day:<method>' }) limit!: string;
  @ApiProperty({ type: 'integer', example: 5000 }) calls!: number;
  @ApiProperty({ type: 'integer', example: 86_400_000 }) windowMs!: number;
  @ApiProperty({ type: 'integer' }) spent!: number;
  @ApiProperty({ type: 'integer' }) left!: number;
  @ApiProperty({ type: 'integer' }) callsInLastHour!: number;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Unix ms; null: not at this pace' })
  spentAt!: number | null;
  @ApiProperty({ example: 'at this pace wall.get is spent at 2026-11-21T16:40:00Z' }) forecast!: string;
}

class MethodUsageView {
  @ApiProperty({ example: 'wall.get' }) method!: string;
  @ApiProperty({ type: 'integer', description: 'With this key, whoever used it' }) callsInLastDay!: number;
  @ApiProperty({ type: 'integer' }) callsInLastHour!: number;
  @ApiProperty({ type: 'integer', description: 'Pool clock, ms' }) lastUsedAt!: number;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Calls of it in a day that its bucket may make; null: it has no limit of its own',
  })
  limit!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) left!: number | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Unix ms; null: not at this pace' })
  spentAt!: number | null;
  @ApiProperty({ type: String, nullable: true }) forecast!: string | null;
}

export class UsageView {
  @ApiProperty({ type: 'integer' }) perSecond!: number;
  @ApiProperty({ type: 'integer', nullable: true }) lastUsedAt!: number | null;
  @ApiProperty({ type: [LimitUsageView], description: 'Its limits of a minute and more' })
  limits!: LimitUsageView[];
  @ApiProperty({
    type: [MethodUsageView],
    description: 'Every method that was called with it in the last day',
  })
  methods!: MethodUsageView[];
}

class LeaseView {
  @ApiProperty() leaseId!: string;
  @ApiProperty() workspaceId!: string;
  @ApiProperty() importId!: string;
  @ApiProperty({ example: 'parser-service' }) service!: string;
  @ApiProperty({ description: 'Pool clock, ms' }) grantedAt!: number;
  @ApiProperty({ description: 'Pool clock, ms' }) expiresAt!: number;
  @ApiProperty({ type: 'integer' }) calls!: number;
  @ApiProperty({ type: [String] }) methods!: string[];
  @ApiProperty({ description: 'Why this key was chosen' }) why!: string;
}

export class LeasesView {
  @ApiProperty({ type: [LeaseView] }) items!: LeaseView[];
}

class RestView {
  @ApiProperty({ enum: ['key', 'method', 'egress', 'circuit'] }) kind!: KeyRest['kind'];
  @ApiProperty({ example: 'wall.get' }) name!: string;
  @ApiProperty({ description: 'Pool clock, ms; in the past when the next call is its trial' })
  untilAt!: number;
  @ApiProperty({ type: 'integer' }) lengthMs!: number;
  @ApiProperty({ type: 'integer', description: 'Error code of the network' }) code!: number;
  @ApiProperty({ description: 'Its trial call is out' }) onTrial!: boolean;
  @ApiProperty({ description: 'The network refuses it; otherwise a limit was reached' }) barred!: boolean;
}

export class RestsView {
  @ApiProperty({ type: [RestView] }) items!: RestView[];
}

export class EndedView {
  @ApiProperty({ type: 'integer' }) ended!: number;
}

class ExplainedKeyView {
  @ApiProperty({ format: 'uuid' }) keyId!: string;
  @ApiPropertyOptional({ type: String, description: 'Absent: it can be taken', example: 'resting' })
  reason?: string | undefined;
  @ApiPropertyOptional({ type: Number, description: 'Pool clock, ms: when the reason ends by itself' })
  untilAt?: number | undefined;
  @ApiPropertyOptional({ type: Number, description: 'Pool clock, ms' }) nextSlotAt?: number | undefined;
  @ApiProperty({ type: 'integer' }) weight!: number;
  @ApiProperty({ type: 'integer', description: 'Calls of about the last day' }) usedInDay!: number;
  @ApiPropertyOptional({ type: Number }) lastGrantAt?: number | undefined;
}

export class ExplainView {
  @ApiProperty({ description: 'Pool clock, ms' }) poolNow!: number;
  @ApiProperty({ type: 'integer', description: 'Keys that the workspace may lease' }) known!: number;
  @ApiProperty({ type: 'integer', description: 'Of these, those that can be taken for such a call' })
  eligible!: number;
  @ApiProperty({ type: [ExplainedKeyView], description: 'The first to be taken foremost' })
  keys!: ExplainedKeyView[];
}

class MarginView {
  @ApiProperty({ example: 'vk' }) network!: string;
  @ApiProperty({ description: 'Learned spread of the path, ms' }) spreadMs!: number;
  @ApiProperty() clockErrorMs!: number;
  @ApiProperty() shortestTripMs!: number;
  @ApiProperty({ type: 'integer', description: '0: begun with what was kept or declared' }) samples!: number;
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'number' } })
  lateness?: { meanMs: number; maxMs: number } | undefined;
  @ApiProperty({ description: 'Pool clock, ms; 0: never' }) learnedAt!: number;
  @ApiPropertyOptional({ type: Number, description: 'A refusal keeps it from falling until then' })
  heldUntil?: number | undefined;
}

export class MarginsView {
  @ApiProperty({
    type: [MarginView],
    description: 'Networks of which nothing was learned are not among them',
  })
  items!: MarginView[];
}
