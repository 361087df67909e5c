import { z } from 'zod';
import { network, positions, timestampMs, workspaceId } from './fields';
import { defineMessage } from './message';

const id = z.string().min(1).max(64);

export const importChanged = defineMessage({
  name: 'sociograph.imports.import-changed',
  version: 1,
  summary: 'The state of an import after a step of its life',
  schema: z.object({
    importId: id,
    workspaceId,
    network,
    state: z.enum(['running', 'paused', 'settling', 'completed', 'cancelled', 'failed']),
    at: timestampMs,
    counters: z.object({
      peopleKnown: z.number().int().nonnegative(),
      peopleDone: z.number().int().nonnegative(),
      listsKnown: z.number().int().nonnegative(),
      listsDone: z.number().int().nonnegative(),
      callsMade: z.number().int().nonnegative(),
      gaps: z.number().int().nonnegative(),
    }),
    positions: positions.optional(),
  }),
  example: {
    importId: '01930f0e-7b1c-7000-8000-000000000001',
    workspaceId: 'demo',
    network: 'vk',
    state: 'running',
    at: 1795000000000,
    counters: { peopleKnown: 348, peopleDone: 1, listsKnown: 348, listsDone: 1, callsMade: 2, gaps: 0 },
  },
});

export const keyChanged = defineMessage({
  name: 'sociograph.keys.key-changed',
  version: 1,
  summary: 'Life of an API key; never a token',
  schema: z.object({
    keyId: id,
    workspaceId,
    network,
    kind: z.enum(['user', 'service', 'community']),
    state: z.enum(['active', 'paused', 'invalid', 'replaced', 'deleted']),
    reason: z.string().max(256).optional(),
    at: timestampMs,
    version: z.number().int().positive(),
    /** What was done: `key.register`, `key.pause`, `key.rotate` and the like. */
    change: z.string().max(64).optional(),
    limits: z
      .object({
        perSecond: z.number().int().positive(),
        perMinute: z.number().int().positive().optional(),
        perHour: z.number().int().positive().optional(),
        perDay: z.number().int().positive().optional(),
        methodsPerDay: z.record(z.string(), z.number().int().positive()).optional(),
      })
      .optional(),
    weight: z.number().int().positive().optional(),
    egress: z.string().max(64).optional(),
    sharedWith: z.array(workspaceId).optional(),
    replaces: id.optional(),
    replacedBy: id.optional(),
    consentEndedAt: timestampMs.optional(),
  }),
  example: {
    keyId: '01930f0e-7b1c-7000-8000-00000000000a',
    workspaceId: 'demo',
    network: 'vk',
    kind: 'user',
    state: 'active',
    at: 1795000000000,
    version: 1,
    change: 'key.register',
    limits: { perSecond: 3, methodsPerDay: { 'wall.get': 5000 } },
    weight: 1,
  },
});

export const keyUsed = defineMessage({
  name: 'sociograph.keys.key-used',
  version: 1,
  summary: 'Calls that were made with a key during one interval',
  schema: z.object({
    keyId: id,
    workspaceId,
    network,
    from: timestampMs,
    to: timestampMs,
    calls: z.record(z.string(), z.number().int().nonnegative()),
  }),
  example: {
    keyId: '01930f0e-7b1c-7000-8000-00000000000a',
    workspaceId: 'demo',
    network: 'vk',
    from: 1795000000000,
    to: 1795000010000,
    calls: { 'friends.get': 725 },
  },
});

export const actionAudited = defineMessage({
  name: 'sociograph.audit.action-audited',
  version: 1,
  summary: 'Who did what, when, from where, with which result',
  schema: z.object({
    auditId: id,
    workspaceId,
    actor: z.object({ kind: z.enum(['person', 'service']), id: z.string().min(1).max(128) }),
    action: z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/),
    target: z.string().max(256),
    at: timestampMs,
    peer: z.string().max(64).optional(),
    correlationId: z.string().max(64).optional(),
    result: z.enum(['done', 'refused', 'failed']),
    reason: z.string().max(256).optional(),
  }),
  example: {
    auditId: '01930f0e-7b1c-7000-8000-00000000000b',
    workspaceId: 'demo',
    actor: { kind: 'person', id: 'f3a0b7de-0000-4000-8000-000000000000' },
    action: 'import.create',
    target: 'import/01930f0e-7b1c-7000-8000-000000000001',
    at: 1795000000000,
    result: 'done',
  },
});

export const auditSealed = defineMessage({
  name: 'sociograph.audit.trail-sealed',
  version: 1,
  summary: 'How far the audit trail of one workspace is sealed: the head of its hash chain, signed',
  schema: z.object({
    workspaceId,
    seq: z.number().int().positive(),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    at: timestampMs,
    /** HMAC-SHA-256 of workspace, seq, hash and time under the audit key, hex. */
    mac: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  example: {
    workspaceId: 'demo',
    seq: 1,
    hash: '0'.repeat(64),
    at: 1795000000000,
    mac: '0'.repeat(64),
  },
});

/** Task: make one packed call. The call itself is a row of parser-service; the message only names it. */
export const callRequested = defineMessage({
  name: 'sociograph.parser.call-requested',
  version: 1,
  summary: 'A packed call of an import is ready to be made',
  schema: z.object({ callId: id, importId: id, workspaceId, network }),
  example: {
    callId: '01930f0e-7b1c-7000-8000-000000000002',
    importId: '01930f0e-7b1c-7000-8000-000000000001',
    workspaceId: 'demo',
    network: 'vk',
  },
});
