import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import {
  ApiExtension,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, CurrentToken, type Principal, Roles, type TokenLife } from '@sociograph/auth';
import { Clock } from '@sociograph/kernel';
import { sendEventStream } from '@sociograph/service-host';
import { Transform, Type } from 'class-transformer';
import { ArrayNotEmpty, IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { EventFeed, FEED_TYPES, type FeedQuery, MOST_EVENTS } from '../projections/event-feed';
import { FEED_EVENTS } from './event-feed-shapes';
import { EventFeedStream } from './event-feed-stream';

const CURSOR = /^[A-Za-z0-9_-]{1,8192}$/;

class EventFeedQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MOST_EVENTS, default: 200 })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(MOST_EVENTS, { message: `must be at most ${MOST_EVENTS}` })
  limit: number = 200;

  @ApiPropertyOptional({
    description: 'The `cursor` of an event, or the `x-next-cursor` of a page',
    maxLength: 8192,
  })
  @IsOptional()
  @Matches(CURSOR, { message: 'must be the cursor of an earlier event or page' })
  cursor?: string;

  @ApiPropertyOptional({
    type: 'string',
    description: `Comma list of ${FEED_TYPES.join(', ')}; all that the roles cover unless given`,
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    [value].flat().flatMap((text) =>
      String(text)
        .split(',')
        .filter((part) => part !== ''),
    ),
  )
  @ArrayNotEmpty({ message: 'must name at least one type' })
  @IsIn(FEED_TYPES as string[], { each: true, message: 'must be types of events of this feed' })
  types?: string[];

  @ApiPropertyOptional({
    enum: ['start', 'now'],
    description: 'Where to begin without a cursor: `start` for a page and `now` for a stream unless given',
  })
  @IsOptional()
  @IsIn(['start', 'now'], { message: 'must be start or now' })
  from?: 'start' | 'now';
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  required: false,
  description: 'Id of the last event that a stream gave; the ones after it follow. Wins over `cursor`',
};

@ApiTags('events')
@Controller('v1/events')
@Roles('viewer', 'analyst', 'operator', 'admin')
export class EventFeedController {
  constructor(
    private readonly feed: EventFeed,
    private readonly clock: Clock,
  ) {}

  @Get()
  @ApiOperation({
    summary: "The workspace's own events, as lines of JSON or as a stream",
    description:
      '`Accept: text/event-stream` follows the log; anything else answers one page, an event a line, with the headers ' +
      '`x-next-cursor` (where the next page begins, also after an empty one) and `x-end-of-log`. Events are CloudEvents; ' +
      'their order holds for each vertex, import and key. At least once: after a resumption some may come again with the ' +
      'same id. Changes of the graph are read by everybody, imports by analysts and above, keys by operators and admins, ' +
      'the audit trail by admins. A stream ends with an event `end` (token-expired, token-revoked, shutting-down). 422: the cursor is ' +
      'older than what is kept, or beyond the end; 429: more than 4 readers of a workspace at once.',
  })
  @ApiHeader(LAST_EVENT_ID)
  @ApiExtension('x-events', FEED_EVENTS)
  @ApiOkResponse({
    content: {
      'application/x-ndjson': { schema: { type: 'string' } },
      'text/event-stream': { schema: { type: 'string' } },
    },
  })
  async events(
    @CurrentPrincipal() { workspaceId, roles }: Principal,
    @CurrentToken() token: TokenLife | undefined,
    @Query() { limit, cursor, types, from }: EventFeedQuery,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const query = { workspaceId, roles, types, cursor: lastEventId || cursor };
    if (accept?.includes('text/event-stream') === true)
      return this.stream({ ...query, from: from ?? 'now' }, token, reply);
    const page = await this.feed.page({ ...query, from: from ?? 'start' }, limit);
    await reply
      .header('content-type', 'application/x-ndjson; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-next-cursor', page.next)
      .header('x-end-of-log', String(page.endOfLog))
      .send(page.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }

  private async stream(query: FeedQuery, token: TokenLife | undefined, reply: FastifyReply): Promise<void> {
    const stream = new EventFeedStream(token, this.clock.nowMs());
    try {
      stream.onClosed(await this.feed.follow(query, stream));
    } catch (error) {
      stream.readable.destroy();
      throw error;
    }
    await sendEventStream(reply, stream.readable);
  }
}
