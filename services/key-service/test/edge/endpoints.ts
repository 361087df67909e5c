import { randomBytes } from 'node:crypto';

/** What a right call of an endpoint looks like; the walk over the OpenAPI document makes the wrong ones of it. */
export interface Endpoint {
  /** All others are answered 403. */
  roles: readonly string[];
  status: number;
  /** With every field that there is. */
  body?: () => unknown;
  query?: Record<string, string>;
  /** What has to be done to a key first. */
  first?: 'pause';
  /** Of the fields of a body that is answered with verdicts: a list of rows. */
  rows?: boolean;
  /** Values of path parameters that are no name at all, and one of which there is nothing; those of `id` are known. */
  names?: { wrong: string; unknown: string };
}

export const ALL_ROLES = ['viewer', 'analyst', 'operator', 'admin', 'platform-operator'] as const;
const WRITERS = ['operator', 'admin'];
const READERS = ['viewer', 'analyst', ...WRITERS];

const text = (): string => randomBytes(8).toString('hex');
const refresh = () => ({
  ...{ token: `vk2.a.walk-${text()}`, clientId: 'app-1', deviceId: 'device-1' },
  expiresAt: 4_000_000_000_000,
});
const consent = { givenBy: 'Ada', at: 1_700_000_000_000 };
const limits = {
  ...{ perSecond: 2, perMinute: 60, perHour: 600, perDay: 6_000 },
  methodsPerDay: { 'wall.get': 50 },
};
const settings = {
  ...{ label: 'walk', limits, weight: 2, egress: 'home', bucket: 'walk', ownerId: '77' },
  scopes: ['friends'],
};

export function aRegistration(): Record<string, unknown> {
  return {
    network: 'vk',
    kind: 'user',
    token: `vk1.a.walk-${text()}`,
    consent,
    refresh: refresh(),
    ...settings,
  };
}

/** One row for every operation of the document. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'POST /v1/keys': { roles: WRITERS, status: 201, body: aRegistration },
  'POST /v1/keys/bulk': { roles: WRITERS, status: 200, body: () => [aRegistration()], rows: true },
  'GET /v1/keys': { roles: READERS, status: 200 },
  'GET /v1/keys/{id}': { roles: READERS, status: 200 },
  'PATCH /v1/keys/{id}': { roles: WRITERS, status: 200, body: () => ({ ...settings, label: text() }) },
  'DELETE /v1/keys/{id}': { roles: WRITERS, status: 204 },
  'PUT /v1/keys/{id}/shares': { roles: WRITERS, status: 200, body: () => ({ workspaces: ['partner'] }) },
  'POST /v1/keys/{id}/rotate': {
    roles: WRITERS,
    status: 201,
    body: () => ({ token: `vk1.a.walk-${text()}`, consent, refresh: refresh() }),
  },
  'POST /v1/keys/{id}/pause': { roles: WRITERS, status: 200 },
  'POST /v1/keys/{id}/resume': { roles: WRITERS, status: 200, first: 'pause' },
  'POST /v1/keys/{id}/withdraw-consent': { roles: WRITERS, status: 200 },
  'POST /v1/keys/{id}/probe': { roles: WRITERS, status: 202 },
  'GET /v1/keys/{id}/history': { roles: ['analyst', ...WRITERS], status: 200 },
  'GET /v1/keys/{id}/usage': { roles: READERS, status: 200 },
  'GET /v1/keys/{id}/leases': { roles: ['analyst', ...WRITERS], status: 200 },
  'GET /v1/keys/{id}/rests': { roles: READERS, status: 200 },
  'DELETE /v1/keys/{id}/rests': { roles: WRITERS, status: 200 },
  'GET /v1/pool/explain': {
    roles: READERS,
    status: 200,
    query: { network: 'vk', methods: 'friends.get:25' },
  },
  'DELETE /v1/pool/leases/{leaseId}': {
    roles: WRITERS,
    status: 204,
    names: { wrong: 'no+lease', unknown: 'lease-of-nobody' },
  },
  'GET /v1/pool/margins': { roles: [...READERS, 'platform-operator'], status: 200 },
  'DELETE /v1/pool/margins/{network}': {
    roles: ['platform-operator'],
    status: 204,
    names: { wrong: 'UPPER', unknown: 'orkut' },
  },
};
