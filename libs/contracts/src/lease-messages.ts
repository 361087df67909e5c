import { z } from 'zod';
import { fence, network, workspaceId } from './fields';
import { defineMessage } from './message';

/**
 * The lease protocol between workers and key-service (DESIGN 4): RPC over `LEASE_QUEUE`, and the fanout
 * `EXCHANGES.keyState`. Times named "pool clock" are milliseconds since the Unix epoch on the clock of the pool's
 * Redis, with fractions down to a microsecond. A frame's `body` is the JSON text of one of the messages below;
 * its `mac` is HMAC-SHA-256 over "<kind>.<session>.<body>" under the session's key, in base64url.
 */
const poolTime = z.number().nonnegative();
const id = z.string().min(1).max(64);
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const sequence = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const methods = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,63}$/),
  z.number().int().min(1).max(1000),
);

/** What stands at the head of every authenticated request: the MAC covers it, so none of it can be changed or replayed. */
const requestHead = {
  requestId: id,
  /** Pool clock, as the worker maps it. Older than 30 s is stale. */
  issuedAt: poolTime,
  /** Counts up within the session; each number is accepted once. */
  sequence,
};

export const leaseHello = defineMessage({
  name: 'sociograph.leases.hello',
  version: 1,
  summary:
    'Opens a lease session; the one message signed with the identity key (Ed25519) of the worker service',
  schema: z.object({
    service: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
    instance: id,
    /** Raw X25519 public key (32 bytes), made for this session only. */
    publicKey: base64url.length(43),
    nonce: base64url.length(22),
    /** Wall clock of the worker; it may be 5 min off the server's, and the hello 10 s on its way. */
    issuedAt: poolTime,
    signature: base64url.length(86),
  }),
  example: {
    service: 'parser-service',
    instance: 'parser-service-0',
    publicKey: 'A'.repeat(43),
    nonce: 'B'.repeat(22),
    issuedAt: 1795000000000,
    signature: 'C'.repeat(86),
  },
});

export const leaseWelcome = defineMessage({
  name: 'sociograph.leases.welcome',
  version: 1,
  summary: 'Answers a hello: the other half of the key agreement and the first reading of the pool clock',
  schema: z.object({
    session: id,
    publicKey: base64url.length(43),
    nonce: base64url.length(22),
    poolNow: poolTime,
    expiresAt: poolTime,
  }),
  example: {
    session: '01930f0e-7b1c-7000-8000-0000000000aa',
    publicKey: 'D'.repeat(43),
    nonce: 'E'.repeat(22),
    poolNow: 1795000000000.125,
    expiresAt: 1795003600000,
  },
});

/** What a worker may ask for at most, ms; a slot that begins later than it must is a slot that others wait for. */
export const LONGEST_LEAD_MS = 60;

export const leaseRequest = defineMessage({
  name: 'sociograph.leases.lease-requested',
  version: 1,
  summary: 'Asks for a key and send slots for one packed call (or several) of an import',
  schema: z.object({
    ...requestHead,
    workspaceId,
    network,
    importId: id,
    /** What the calls use, counted inside packed calls: {"friends.get": 25}. */
    methods,
    /** Requests on the wire, each with a slot of its own; 1 unless told. */
    calls: z.number().int().min(1).max(20).optional(),
    /** Pool clock; after it the request is worthless and is refused. */
    deadlineAt: poolTime,
    /** Label of the address that the worker calls from. */
    egress: z.string().max(64).optional(),
    /** From the grant to its first slot at least, where 10 ms are not enough: so late leases come in at this worker. */
    leadMs: z.number().int().min(0).max(LONGEST_LEAD_MS).optional(),
  }),
  example: {
    requestId: '01930f0e-7b1c-7000-8000-0000000000ab',
    issuedAt: 1795000000000.5,
    sequence: 1,
    workspaceId: 'demo',
    network: 'vk',
    importId: '01930f0e-7b1c-7000-8000-000000000001',
    methods: { 'friends.get': 25 },
    deadlineAt: 1795000005000,
  },
});

export const sendSlot = z.object({ notBefore: poolTime, notAfter: poolTime });

export const leaseDenialReason = z.enum([
  /** Keys exist, all their windows are taken for longer than the request waits. */
  'no-slot',
  /** A limit of a minute or more is spent on every key that could have been taken. */
  'budget-spent',
  /** The network itself fails (circuit open): nobody calls it until a probe went well. */
  'network-resting',
  /** No key of the workspace may call these methods (none registered, wrong kind, paused, invalid). */
  'no-key',
  /** The waiting line of this import or workspace is full. */
  'line-full',
  /** The pool lost its memory and waits until nothing granted before can still arrive. */
  'recovering',
  /** Tokens cannot be opened right now (KMS away and its cache aged). */
  'tokens-unavailable',
  /** Late: its deadline was over when it was read. */
  'expired',
  /** Issued more than 30 s ago. */
  'stale',
  /** Sequence seen before, or a request id that belongs to another workspace. */
  'replay',
  /** HMAC, session or broker account do not fit. */
  'forged',
  'malformed',
]);

export const leaseReply = defineMessage({
  name: 'sociograph.leases.lease-answered',
  version: 1,
  summary:
    'A granted lease with its token sealed under the session key, or a denial with the time to ask again',
  schema: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('granted'),
      requestId: id,
      poolNow: poolTime,
      lease: z.object({
        leaseId: id,
        fence,
        keyId: id,
        keyVersion: z.number().int().positive(),
        /** AES-256-GCM, iv(12) | tag(16) | ciphertext; AAD "<leaseId>|<fence>|<keyId>". */
        token: base64url,
        methods,
        calls: z.array(sendSlot).min(1),
        grantedAt: poolTime,
        expiresAt: poolTime,
        /** Why this key: the strategy and what was ruled out. */
        why: z.string().max(256).optional(),
      }),
    }),
    z.object({
      kind: z.literal('denied'),
      requestId: id,
      poolNow: poolTime,
      reason: leaseDenialReason,
      retryAt: poolTime,
    }),
  ]),
  example: {
    kind: 'granted',
    requestId: '01930f0e-7b1c-7000-8000-0000000000ab',
    poolNow: 1795000000001.25,
    lease: {
      leaseId: '01930f0e-7b1c-7000-8000-0000000000ab',
      fence: 10000000042,
      keyId: '01930f0e-7b1c-7000-8000-00000000000a',
      keyVersion: 1,
      token: 'F'.repeat(86),
      methods: { 'friends.get': 25 },
      calls: [{ notBefore: 1795000000100, notAfter: 1795000000104 }],
      grantedAt: 1795000000001.25,
      expiresAt: 1795000030104,
    },
  },
});

/** What became of one slot. Facts only: what an error means for the key is key-service's table. */
export const callReport = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('unsent'),
    slot: z.number().int().nonnegative(),
    cause: z.string().max(64).optional(),
  }),
  z.object({
    outcome: z.literal('answered'),
    slot: z.number().int().nonnegative(),
    sentAt: poolTime,
    /** Only of a send that its stamps prove late (`late`): pool clock in the tick before the write. */
    checkedAt: poolTime.optional(),
    /** The process was frozen between check and wire, or wrote after its slot. */
    late: z.literal(true).optional(),
    answeredAt: poolTime,
    status: z.number().int().min(100).max(599),
    /** The network's own clock as its answer has it (`Date`, whole seconds): ms since the Unix epoch. */
    serverDate: poolTime.optional(),
    /** Error of the call as a whole: the network's own code and the constant part of its text. */
    error: z.object({ code: z.number().int(), text: z.string().max(200).optional() }).optional(),
    /** Errors of calls inside a packed call. */
    methodErrors: z
      .array(
        z.object({
          method: z.string().max(64),
          code: z.number().int(),
          text: z.string().max(200).optional(),
        }),
      )
      .max(100)
      .optional(),
    retryAfterMs: z.number().nonnegative().optional(),
  }),
  z.object({
    outcome: z.literal('broken'),
    slot: z.number().int().nonnegative(),
    sentAt: poolTime,
    /** Only of a send that its stamps prove late (`late`): pool clock in the tick before the write. */
    checkedAt: poolTime.optional(),
    /** The process was frozen between check and wire, or wrote after its slot. */
    late: z.literal(true).optional(),
    cause: z.string().max(64).optional(),
  }),
]);

export const settleRequest = defineMessage({
  name: 'sociograph.leases.settle-requested',
  version: 1,
  summary:
    'Says what became of the slots of some leases; slots reported unsent before their time are free again',
  schema: z.object({
    ...requestHead,
    settles: z
      .array(
        z.object({
          leaseId: id,
          fence,
          workspaceId,
          network,
          importId: id,
          reports: z.array(callReport).min(1).max(20),
          /** Parts of `methods` that were not used. */
          unusedMethods: methods.optional(),
          /** As granted; they tell figures apart and decide nothing. */
          keyId: id.optional(),
          methods: methods.optional(),
          grantedAt: poolTime.optional(),
        }),
      )
      .min(1)
      .max(200),
  }),
  example: {
    requestId: '01930f0e-7b1c-7000-8000-0000000000ac',
    issuedAt: 1795000000200,
    sequence: 2,
    settles: [
      {
        leaseId: '01930f0e-7b1c-7000-8000-0000000000ab',
        fence: 10000000042,
        workspaceId: 'demo',
        network: 'vk',
        importId: '01930f0e-7b1c-7000-8000-000000000001',
        reports: [
          { outcome: 'answered', slot: 0, sentAt: 1795000000101, answeredAt: 1795000000190, status: 200 },
        ],
      },
    ],
  },
});

export const settleReply = defineMessage({
  name: 'sociograph.leases.settle-answered',
  version: 1,
  summary: 'Per lease, in the order asked: whether the settle was the one that counted',
  schema: z.object({
    requestId: id,
    poolNow: poolTime,
    results: z.array(z.enum(['settled', 'already-settled', 'late', 'unknown'])),
  }),
  example: {
    requestId: '01930f0e-7b1c-7000-8000-0000000000ac',
    poolNow: 1795000000201,
    results: ['settled'],
  },
});

export const capacityRequest = defineMessage({
  name: 'sociograph.leases.capacity-requested',
  version: 1,
  summary:
    'Asks how much a workspace may call a network; without a workspace it is a reading of the pool clock',
  schema: z.object({ ...requestHead, workspaceId: workspaceId.optional(), network: network.optional() }),
  example: {
    requestId: '01930f0e-7b1c-7000-8000-0000000000ad',
    issuedAt: 1795000000300,
    sequence: 3,
    workspaceId: 'demo',
    network: 'vk',
  },
});

export const capacityReply = defineMessage({
  name: 'sociograph.leases.capacity-answered',
  version: 1,
  summary: 'Keys that may be used now and their calls per second together',
  schema: z.object({
    requestId: id,
    poolNow: poolTime,
    keys: z.number().int().nonnegative(),
    callsPerSecond: z.number().nonnegative(),
  }),
  example: {
    requestId: '01930f0e-7b1c-7000-8000-0000000000ad',
    poolNow: 1795000000301,
    keys: 20,
    callsPerSecond: 60,
  },
});

export const pathReport = defineMessage({
  name: 'sociograph.leases.path-reported',
  version: 1,
  summary:
    'What a worker measured of the path to a network since its last report, by requests that no limit counts',
  schema: z.object({
    ...requestHead,
    network,
    /** Label of the address that the worker calls from. */
    egress: z.string().max(64).optional(),
    probes: z
      .array(
        z.object({
          /** Pool clock, ms. */
          sentAt: poolTime,
          roundTripMs: z.number().nonnegative(),
          /** The network's own clock (`Date`, whole seconds), where it was told. */
          serverDate: poolTime.optional(),
        }),
      )
      .max(50),
    /** Of the slots since the last report: how late after `notBefore` the worker sent. */
    lateness: z
      .object({
        sends: z.number().int().positive(),
        meanMs: z.number().nonnegative(),
        maxMs: z.number().nonnegative(),
      })
      .optional(),
    /** How far the worker's reading of the pool's clock may be off. */
    clockErrorMs: z.number().nonnegative(),
  }),
  example: {
    requestId: '01930f0e-7b1c-7000-8000-0000000000ae',
    issuedAt: 1795000000400,
    sequence: 4,
    network: 'vk',
    probes: [{ sentAt: 1795000000390.5, roundTripMs: 21.25 }],
    lateness: { sends: 40, meanMs: 0.4, maxMs: 1.9 },
    clockErrorMs: 0.3,
  },
});

export const pathReply = defineMessage({
  name: 'sociograph.leases.path-answered',
  version: 1,
  summary: 'The margin that is in force after the report',
  schema: z.object({ requestId: id, poolNow: poolTime, marginMs: z.number().nonnegative() }),
  example: {
    requestId: '01930f0e-7b1c-7000-8000-0000000000ae',
    poolNow: 1795000000401,
    marginMs: 23.5,
  },
});

/** Kinds of frame: the first opens a session and is signed, the others carry a MAC. */
export const leaseFrame = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), body: z.string() }),
  z.object({
    kind: z.enum(['lease', 'settle', 'capacity', 'path', 'bye']),
    session: id,
    body: z.string(),
    mac: base64url.length(43),
  }),
]);

/** Answers: `welcome` and `refused` are not authenticated (no session stands yet), `reply` is. */
export const leaseFrameReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('welcome'), body: z.string(), mac: base64url.length(43) }),
  z.object({ kind: z.literal('reply'), body: z.string(), mac: base64url.length(43) }),
  z.object({
    kind: z.literal('refused'),
    reason: z.enum(['session-unknown', 'forged', 'stale', 'replay', 'malformed', 'unavailable']),
  }),
]);

export const keyStateChanged = defineMessage({
  name: 'sociograph.keys.state-changed',
  version: 1,
  summary: 'Fanout: leases of this key that were not sent yet are void when it is not active',
  schema: z.object({
    keyId: id,
    workspaceId,
    network,
    state: z.enum(['active', 'paused', 'invalid', 'replaced', 'deleted']),
    version: z.number().int().positive(),
    at: z.number().nonnegative(),
    /** Only workers that call from this address are meant. */
    egress: z.string().max(64).optional(),
    /** Pool clock: slots of an active key before it are void, where they were granted before this was told. */
    restingUntil: poolTime.optional(),
  }),
  example: {
    keyId: '01930f0e-7b1c-7000-8000-00000000000a',
    workspaceId: 'demo',
    network: 'vk',
    state: 'invalid',
    version: 2,
    at: 1795000000400,
  },
});

export type LeaseHello = z.infer<typeof leaseHello.schema>;
export type LeaseWelcome = z.infer<typeof leaseWelcome.schema>;
export type LeaseRequest = z.infer<typeof leaseRequest.schema>;
export type LeaseReply = z.infer<typeof leaseReply.schema>;
export type LeaseDenialReason = z.infer<typeof leaseDenialReason>;
export type SettleRequest = z.infer<typeof settleRequest.schema>;
export type SettleReply = z.infer<typeof settleReply.schema>;
export type CapacityRequest = z.infer<typeof capacityRequest.schema>;
export type CapacityReply = z.infer<typeof capacityReply.schema>;
export type PathReport = z.infer<typeof pathReport.schema>;
export type PathReply = z.infer<typeof pathReply.schema>;
export type CallReport = z.infer<typeof callReport>;
export type SendSlot = z.infer<typeof sendSlot>;
export type LeaseFrame = z.infer<typeof leaseFrame>;
export type LeaseFrameReply = z.infer<typeof leaseFrameReply>;
export type KeyStateChanged = z.infer<typeof keyStateChanged.schema>;
