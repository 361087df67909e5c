import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Roles } from '@sociograph/auth';
import { currentCorrelationId } from '@sociograph/observability';
import { LimitQuery } from '@sociograph/service-host';
import { Matches } from 'class-validator';
import { RedriveCalls } from '../application/redrive-calls';
import type { DeadCall } from '../domain/ports';

const MESSAGE_ID = /^[A-Za-z0-9._-]{1,128}$/;

class DeadCallParam {
  @ApiProperty({ maxLength: 128 })
  @Matches(MESSAGE_ID, { message: 'must be the id of a dead call' })
  id!: string;
}

class DeadCallAnswer {
  @ApiProperty() id!: string;
  @ApiProperty() queue!: string;
  @ApiProperty({ description: 'Stable; see docs/errors.md' }) code!: string;
  @ApiProperty() reason!: string;
  @ApiProperty({ type: 'integer' }) attempts!: number;
  @ApiPropertyOptional({ format: 'uuid' }) callId?: string;
  @ApiPropertyOptional({ format: 'uuid' }) importId?: string;
  @ApiPropertyOptional() workspaceId?: string;
}

class DeadCallsAnswer {
  @ApiProperty({ type: [DeadCallAnswer] }) items!: DeadCallAnswer[];
}

class RedrivenAnswer {
  @ApiProperty({ type: 'integer' }) redriven!: number;
  @ApiProperty({ type: 'integer', description: 'Of imports that do not go on; they stay' }) refused!: number;
}

/** Calls that were given up, of all workspaces. */
@ApiTags('operation')
@Controller('v1/dead-calls')
@Roles('platform-operator')
export class DeadCallsController {
  constructor(private readonly calls: RedriveCalls) {}

  @Get()
  @ApiOperation({ summary: 'Calls in the dead queues, oldest first, with the reason' })
  @ApiOkResponse({ type: DeadCallsAnswer })
  async list(@Query() { limit }: LimitQuery): Promise<DeadCallsAnswer> {
    return { items: (await this.calls.list(limit)).map(answerOf) };
  }

  @Post('redrive')
  @HttpCode(200)
  @ApiOperation({ summary: 'Send all dead calls back to their queues' })
  @ApiOkResponse({ type: RedrivenAnswer })
  all(@CurrentPrincipal() { subject }: Principal): Promise<RedrivenAnswer> {
    return this.calls.all({ by: subject, correlationId: currentCorrelationId() });
  }

  @Post(':id/redrive')
  @HttpCode(204)
  @ApiOperation({ summary: 'Send one dead call back to its queue' })
  @ApiParam({ name: 'id' })
  @ApiNoContentResponse()
  async one(@CurrentPrincipal() { subject }: Principal, @Param() { id }: DeadCallParam): Promise<void> {
    await this.calls.one(id, { by: subject, correlationId: currentCorrelationId() });
  }
}

function answerOf({ task, ...call }: DeadCall): DeadCallAnswer {
  return { ...call, ...task };
}
