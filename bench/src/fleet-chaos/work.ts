import { clientToken } from '@sociograph/api-client';
import type { DrillStand } from '../fleet/drill-stand';
import { needed } from '../fleet/servers';
import { demoAccount } from '../fleet/stack-access';
import type { FaultyServer, ProcessName } from './fault-plan';

/** Units of work that are only completed when the parts on their way work. */
export type Work =
  'leases' | 'calls' | 'stored' | 'shown' | 'answers' | 'members' | 'sign-ins' | 'signing-keys';

/** What each part is needed for: the first of these units after a fault is its recovery. */
export const WORK_OF: Readonly<Record<ProcessName | FaultyServer, Work>> = {
  'key-service-0': 'leases',
  'parser-service-0': 'calls',
  'graph-storage-service-0': 'stored',
  'read-model-projector-0': 'shown',
  'identity-service-0': 'members',
  gateway: 'answers',
  'jwks-reconciler': 'signing-keys',
  postgres: 'calls',
  'redis-pool': 'leases',
  'redis-cache': 'answers',
  rabbitmq: 'calls',
  kafka: 'stored',
  keycloak: 'sign-ins',
  'arango-embedded': 'stored',
};

export const WORK_IN_WORDS: Readonly<Record<Work, string>> = {
  leases: 'a lease granted',
  calls: 'a call made, its people stored',
  stored: 'a record stored in the graph',
  shown: 'the views written and announced',
  answers: 'a profile through the gateway',
  members: 'a workspace through the gateway',
  'sign-ins': 'a new token accepted by the gateway',
  'signing-keys': 'the gateway complete with signing keys',
};

/** Counts units of one kind; undefined while nobody answers. */
export type Counter = () => Promise<number | undefined>;

/** True where a count begins with the counter itself, not with the process that is asked. */
export function countsFromNothing(work: Work): boolean {
  return ['answers', 'members', 'sign-ins', 'signing-keys'].includes(work);
}

export function counterOf(
  work: Work,
  stand: DrillStand,
  token: () => Promise<string>,
  person: string,
): Counter {
  const gateway = needed(stand.env, 'GATEWAY_URL');
  switch (work) {
    case 'leases':
      return () =>
        stand.metric('key-service-0', 'lease_rpc_seconds_count', 'kind="lease"', 'outcome="granted"');
    case 'calls':
      return () => stand.metric('parser-service-0', 'parser_calls_performed_total', 'performance="done"');
    case 'stored':
      return () =>
        stand.metric('graph-storage-service-0', 'kafka_consumed_records_total', 'group="graph-storage"');
    case 'shown':
      return () => stand.metric('read-model-projector-0', 'projector_flush_seconds_count');
    case 'signing-keys':
      return () => stand.metric('jwks-reconciler', 'gateways_complete');
    case 'answers':
      return successesOf(`${gateway}/v1/profiles/vk/${person}`, token);
    case 'members':
      return successesOf(`${gateway}/v1/workspace`, token);
    case 'sign-ins':
      return successesOf(
        `${gateway}/v1/profiles/vk/${person}`,
        async () => (await clientToken(demoAccount(stand.env))).accessToken,
      );
  }
}

/** Asks each time; counts the answers that were good. */
function successesOf(url: string, token: () => Promise<string>): Counter {
  let successes = 0;
  return async () => {
    try {
      const headers = { authorization: `Bearer ${await token()}` };
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      if (!response.ok) return undefined;
      return (successes += 1);
    } catch {
      return undefined;
    }
  };
}
