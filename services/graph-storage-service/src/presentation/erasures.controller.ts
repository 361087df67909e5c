import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiOkResponse,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { decodeCursor, encodeCursor, PageQuery } from '@sociograph/service-host';
import { Matches } from 'class-validator';
import { z } from 'zod';
import { RequestErasure } from '../application/request-erasure';
import { PLACES, type Erasure } from '../domain/erasure';

class ErasedPersonParams {
  @ApiProperty({ example: 'vk' })
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, { message: 'must name a network, e.g. vk' })
  network!: string;

  @ApiProperty({ example: '107' })
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'must be the id of a person at the network' })
  id!: string;
}

class ErasureParams {
  @ApiProperty({ example: '9f86d081884c7d659a2feaa0c55ad015' })
  @Matches(/^[0-9a-f]{32}$/, { message: 'must be the id of an erasure' })
  id!: string;
}

class PlaceAnswer {
  @ApiProperty({ enum: PLACES })
  place!: string;
  @ApiPropertyOptional({ format: 'date-time', description: 'When nothing of the person was left there' })
  doneAt?: string;
  @ApiPropertyOptional({
    format: 'date-time',
    description: 'When retention or compaction will have seen to it',
  })
  goneBy?: string;
}

class ErasureAnswer {
  @ApiProperty()
  id!: string;
  @ApiProperty()
  network!: string;
  @ApiProperty({
    enum: ['erasing', 'waiting', 'complete'],
    description: '`waiting`: out of the graph, and logs still have to forget; `complete`: nowhere any more',
  })
  state!: string;
  @ApiProperty({ format: 'date-time' })
  requestedAt!: string;
  @ApiPropertyOptional({ format: 'date-time' })
  completedAt?: string;
  @ApiProperty({ type: [PlaceAnswer] })
  places!: PlaceAnswer[];
}

class ErasuresPage {
  @ApiProperty({ type: [ErasureAnswer] })
  items!: ErasureAnswer[];
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}

const placeInList = z.object({ after: z.string().regex(/^[0-9a-f]{32}$/) });

@ApiTags('erasures')
@Controller('v1')
@Roles('admin')
export class ErasuresController {
  constructor(private readonly erasures: RequestErasure) {}

  /** Erases a person for good: nobody brings them back. The answer is a receipt to watch; asking again answers the same. */
  @Delete('people/:network/:id')
  @HttpCode(202)
  @ApiAcceptedResponse({ type: ErasureAnswer })
  async erase(
    @CurrentPrincipal() { workspaceId, subject }: Principal,
    @Param() { network, id }: ErasedPersonParams,
  ): Promise<ErasureAnswer> {
    return answerOf(await this.erasures.execute({ workspaceId, network, id }, subject));
  }

  /** Erasures of the workspace; none says whom it was about. */
  @Get('erasures')
  @ApiOkResponse({ type: ErasuresPage })
  async page(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<ErasuresPage> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, placeInList).after;
    const { items, next } = await this.erasures.page(workspaceId, { limit, after });
    return { items: items.map(answerOf), next: next === undefined ? null : encodeCursor({ after: next }) };
  }

  /** The receipt of one erasure: each place, and since when or until when. */
  @Get('erasures/:id')
  @ApiOkResponse({ type: ErasureAnswer })
  async read(
    @CurrentPrincipal() { workspaceId }: Principal,
    @Param() { id }: ErasureParams,
  ): Promise<ErasureAnswer> {
    return answerOf(await this.erasures.read(workspaceId, id));
  }
}

function answerOf({ id, network, state, requestedAt, completedAt, places }: Erasure): ErasureAnswer {
  return {
    id,
    network,
    state,
    requestedAt: iso(requestedAt),
    ...(completedAt !== undefined && { completedAt: iso(completedAt) }),
    places: PLACES.map((place) => {
      const { doneAt, goneBy } = places[place];
      return {
        place,
        ...(doneAt !== undefined && { doneAt: iso(doneAt) }),
        ...(doneAt === undefined && goneBy !== undefined && { goneBy: iso(goneBy) }),
      };
    }),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
