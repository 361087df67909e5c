import { z } from 'zod';

/** Fields that several messages share. Patterns keep every id safe in Kafka, ArangoDB and Redis keys. */
export const workspaceId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
export const network = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
export const externalId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
/** Milliseconds since the Unix epoch. */
export const timestampMs = z.number().int().nonnegative();
export const fence = z.number().int().nonnegative();

/** Which call, under which import and key, saw a thing. */
export const lineage = z.object({
  importId: z.string().min(1).max(64),
  callId: z.string().min(1).max(64),
  keyId: z.string().min(1).max(64).optional(),
});

export const stamp = { observedAt: timestampMs, fence };

/** Positions of a log: topic -> partition -> offset of the next record, i.e. everything below it is meant. */
export const positions = z.record(
  z.string(),
  z.record(z.string().regex(/^\d+$/), z.number().int().nonnegative()),
);
