import { ApiKey } from '../src/domain/api-key';
import { type NetworkRules, rulesOf } from '../src/domain/networks';
import type { LedgerGrantRequest } from '../src/domain/quota-ledger';

/** VK with a margin of 40 ms and slots dealt a whole window ahead: figures that one can reckon with. */
export function vk(): NetworkRules {
  return { ...(rulesOf('vk') as NetworkRules), marginMs: 40, horizonMs: 1000 };
}

export function aKey(
  id: string,
  { perSecond = 3, ...details }: Partial<ApiKey['details']> & { perSecond?: number } = {},
): ApiKey {
  return ApiKey.restore({
    id: id as ApiKey['id'],
    workspaceId: 'demo' as ApiKey['details']['workspaceId'],
    network: 'vk',
    kind: 'user',
    label: null,
    state: 'active',
    reason: null,
    limits: { perSecond },
    weight: 1,
    bucket: id,
    egress: null,
    ownerId: null,
    scopes: [],
    sharedWith: [],
    consent: { givenBy: 'owner', at: 1, endedAt: null },
    replaces: null,
    replacedBy: null,
    lastUsedAt: null,
    version: 1,
    tokenVersion: 1,
    createdAt: 1,
    updatedAt: 1,
    ...details,
  });
}

let sequence = 0;

export function nextSequence(): number {
  sequence += 1;
  return sequence;
}

export function aRequest(now: number, details: Partial<LedgerGrantRequest> = {}): LedgerGrantRequest {
  const number = nextSequence();
  return {
    leaseId: `lease-${number}`,
    by: 'parser-service',
    session: 'session',
    sequence: number,
    first: true,
    workspaceId: 'demo',
    importId: 'import',
    rules: vk(),
    kinds: ['user', 'service'],
    methods: { 'friends.get': 1 },
    calls: 1,
    deadlineAt: now + 60_000,
    egress: 'default',
    ...details,
  };
}
