import type { FleetApi } from '@sociograph/api-client';
import type { SeededRandomness } from '@sociograph/testing';
import type { LoadRequest } from './request-load';

const PEOPLE = 200;

/**
 * What clients ask a fleet that holds a graph, drawn by chance: every service is asked, most of all for people. `posts`:
 * one in twenty is a forecast, a POST that stores nothing, which the gateway never sends twice.
 */
export async function usualRequests(
  api: FleetApi,
  random: SeededRandomness,
  { posts }: { posts: boolean },
): Promise<() => LoadRequest> {
  const { items } = await api.get<{ items: { id: string }[] }>('/v1/people/vk', { limit: PEOPLE });
  const ids = items.map(({ id }) => id);
  if (ids.length === 0) throw new Error('the graph is empty: there is nobody to ask for');
  const get = (path: string): LoadRequest => ({ method: 'GET', path });
  const forecast: LoadRequest = {
    method: 'POST',
    path: '/v1/imports?dryRun=true',
    body: JSON.stringify({ network: 'vk', seeds: [ids[0]], include: ['friends'] }),
  };
  const kinds: readonly (() => LoadRequest)[] = [
    () => get(`/v1/profiles/vk/${random.pick(ids)}`),
    () => get(`/v1/profiles/vk/${random.pick(ids)}`),
    () => get(`/v1/people/vk/${random.pick(ids)}`),
    () => get(`/v1/people/vk/${random.pick(ids)}/friends?limit=50`),
    () => get('/v1/graphs/vk/summary'),
    () => get('/v1/imports?limit=5'),
    () => get('/v1/keys?limit=5'),
    () => get('/v1/workspace'),
  ];
  return () => (posts && random.below(20) === 0 ? forecast : random.pick(kinds)());
}
