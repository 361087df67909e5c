import type { Redis } from 'ioredis';

/** One subject's tokens were taken back. */
export interface Revocation {
  /** Keycloak's id of the user. */
  readonly subject: string;
  /** The earliest `iat` (seconds since the Unix epoch) that is accepted from now on. */
  readonly earliestIat: number;
  /** When this was decided (ms since the Unix epoch): of two of one subject the later one holds, whatever came first. */
  readonly at: number;
}

/** Stream in redis-pool; identity-service alone may write it, every service reads it. */
export const REVOCATION_STREAM = 'identity:revocations';
/** What is older says nothing any more: no token lives that long. */
export const REVOCATIONS_KEPT_MS = 24 * 60 * 60 * 1000;

/** Adds one entry and drops those that say nothing any more (about so many: Redis trims whole blocks). */
export async function appendRevocation(
  redis: Pick<Redis, 'xadd'>,
  { subject, earliestIat, at }: Revocation,
): Promise<void> {
  const oldest = String(Math.max(0, Math.floor(at) - REVOCATIONS_KEPT_MS));
  const fields = ['subject', subject, 'iat', String(earliestIat), 'at', String(Math.floor(at))];
  await redis.xadd(REVOCATION_STREAM, 'MINID', '~', oldest, '*', ...fields);
}

/** Entries after `place` (`0` is the beginning), oldest first, at most `most`; `place` of the answer goes on from them. */
export async function readRevocations(
  redis: Pick<Redis, 'xrange'>,
  place: string,
  most: number,
): Promise<{ revocations: Revocation[]; place: string }> {
  const entries = await redis.xrange(
    REVOCATION_STREAM,
    place === '0' ? '-' : `(${place}`,
    '+',
    'COUNT',
    most,
  );
  return {
    revocations: entries.flatMap(([id, fields]) => revocationOf(id, fields) ?? []),
    place: entries.at(-1)?.[0] ?? place,
  };
}

function revocationOf(id: string, fields: readonly string[]): Revocation | undefined {
  const named = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) named.set(fields[at] as string, fields[at + 1] as string);
  const subject = named.get('subject');
  const earliestIat = Number(named.get('iat'));
  if (subject === undefined || !Number.isFinite(earliestIat)) return undefined;
  // Entries of before had no time of their own: the stream's id begins with one.
  const at = Number(named.get('at') ?? id.split('-')[0]);
  return Number.isFinite(at) ? { subject, earliestIat, at } : undefined;
}
