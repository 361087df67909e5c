import type { TokenSource } from '@sociograph/api-client';
import type { DrillStand } from './drill-stand';
import { RequestLoad, type LoadRequest } from './request-load';
import { needed } from './servers';

/** Friend lists in one call of VK's `execute`, and calls a second of a user's key. */
const LISTS_PER_CALL = 25;
const CALLS_PER_SECOND = 3;

export interface Pace {
  readonly requestsPerSecond: number;
  /** Friend lists that the simulator answered. */
  readonly listsPerSecond: number;
}

interface Stats {
  keys: { innerCalls: Record<string, number> }[];
}

export async function listsAnswered(stand: DrillStand): Promise<number> {
  const { keys } = await stand.api.simulator<Stats>('/stats');
  return keys.reduce((sum, { innerCalls }) => sum + (innerCalls['friends.get'] ?? 0), 0);
}

/** What the fleet does of both at once on this machine, while imports run and so many clients ask without a pause. */
export async function measurePace(
  stand: DrillStand,
  tokens: TokenSource,
  next: () => LoadRequest,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<Pace> {
  const load = new RequestLoad(needed(stand.env, 'GATEWAY_URL'), tokens, next);
  const [before, began] = [await listsAnswered(stand), performance.now()];
  const { perSecond } = await load.closed(clients, seconds * 1000);
  const lists = (await listsAnswered(stand)) - before;
  await load.stop();
  return { requestsPerSecond: perSecond, listsPerSecond: lists / ((performance.now() - began) / 1000) };
}

/** How many keys allow at most so many lists a second; one at least. */
export function keysFor(listsPerSecond: number): number {
  return Math.max(1, Math.floor(listsPerSecond / (LISTS_PER_CALL * CALLS_PER_SECOND)));
}

/** Pauses keys until so many are left: what imports may fetch is bounded by their quota. Answers how many are left. */
export async function leaveKeys(stand: DrillStand, left: number): Promise<number> {
  const keys: { id: string; state: string }[] = [];
  for await (const key of stand.api.items<{ id: string; state: string }>('/v1/keys')) keys.push(key);
  for (const { id } of keys.slice(left)) await stand.api.post(`/v1/keys/${id}/pause`);
  return Math.min(left, keys.length);
}
