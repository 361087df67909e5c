import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { decodeCursor, type PageQuery } from '@sociograph/service-host';
import { Matches } from 'class-validator';
import { z } from 'zod';
import type { SideAssertion } from '../domain/friendship';

export const EVERY_READER = ['viewer', 'analyst', 'operator', 'admin'] as const;

export class NetworkParam {
  @ApiProperty({ example: 'vk' })
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, { message: 'must name a network, e.g. vk' })
  network!: string;
}

export class PersonParams extends NetworkParam {
  @ApiProperty({ example: '107' })
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'must be the id of a person at the network' })
  id!: string;
}

export class GroupParams extends NetworkParam {
  @ApiProperty({ example: '22822305' })
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'must be the id of a group or page at the network' })
  id!: string;
}

export class PostParams extends NetworkParam {
  @ApiProperty({ example: '107_17', description: "Owner and number on that owner's wall" })
  @Matches(/^-?[A-Za-z0-9]{1,64}_\d{1,20}$/, { message: 'must be the id of a post, e.g. 107_17' })
  id!: string;
}

/** What saw a thing: which call, under which import and key. */
export class AssertionAnswer {
  @ApiProperty({ format: 'date-time' })
  observedAt!: string;
  @ApiProperty()
  importId!: string;
  @ApiProperty()
  callId!: string;
  @ApiPropertyOptional()
  keyId?: string;
}

export function assertion(seen: SideAssertion | undefined): AssertionAnswer | null {
  if (!seen) return null;
  const { observedAt, importId, callId, keyId } = seen;
  return {
    observedAt: iso(observedAt),
    importId: importId ?? '',
    callId: callId ?? '',
    ...(keyId !== undefined && { keyId }),
  };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

const place = z.strictObject({ after: z.string().min(1).max(254) });

/** Behind which key or id a page begins. */
export function placeOf({ cursor }: PageQuery): string | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor, place).after;
}
