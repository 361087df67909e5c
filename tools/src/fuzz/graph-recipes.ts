import type { Caller } from './caller';
import type { Imported } from './import-recipes';
import type { Recipe, Recipes } from './world';

interface Job {
  id: string;
  state: string;
}

const NETWORK = 'vk';

/** Everything that reads the graph and its views; exports, analyses and erasures are made first. */
export async function graphRecipes(caller: Caller, { importId, people, group }: Imported): Promise<Recipes> {
  const [someone = '', other = '', third = ''] = people;
  // The last ones are erased; nothing else is asked about them.
  const doomed = people.slice(-6);
  const finished = ({ state }: Job): boolean => ['ready', 'done', 'failed'].includes(state);
  const order = { network: NETWORK, of: { person: someone, depth: 1, nodes: 20 }, format: 'csv' };
  const exports: string[] = [];
  for (let made = 0; made < 4; made += 1)
    exports.push((await caller.ask('POST', '/v1/exports', { body: order })).id);
  for (const id of exports) await caller.until<Job>(`/v1/exports/${id}`, finished);
  const jobs = `/v1/graphs/${NETWORK}/jobs`;
  const job = (await caller.ask('POST', jobs, { body: { kind: 'communities' } })).id;
  await caller.until<Job>(`${jobs}/${job}`, finished);
  const recounts = `/v1/graphs/${NETWORK}/recounts`;
  const recount = (await caller.ask('POST', recounts)).id;
  const erasure = (await caller.ask('DELETE', `/v1/people/${NETWORK}/${doomed[0] ?? ''}`)).id;
  const post = await postOf(caller, people);
  const network = { network: NETWORK };
  const person = { ...network, id: someone };
  const one = (path: Recipe['path'], query?: Recipe['query']): Recipe[] => [
    { ...(path && { path }), ...(query && { query }) },
  ];
  const [kept = '', ...spare] = exports;
  return {
    'GET /v1/people/{network}/{id}': one(person),
    'DELETE /v1/people/{network}/{id}': doomed
      .slice(1)
      .map((id) => ({ path: { ...network, id }, once: true })),
    'GET /v1/people/{network}/{id}/friends': one(person, { limit: 3 }),
    'GET /v1/people/{network}/{id}/friends/changes': one(person, {
      from: '2026-01-01T00:00:00Z',
      to: '2030-01-01T00:00:00Z',
    }),
    'GET /v1/people/{network}': [
      { path: network, query: { limit: 3 } },
      { path: network, query: { name: 'А' } },
    ],
    'GET /v1/people/{network}/{id}/friends/mutual': one(person, { with: `${other},${third}` }),
    'GET /v1/people/{network}/{id}/path': one(person, { to: other }),
    'GET /v1/people/{network}/{id}/surroundings': one(person, { depth: 1, nodes: 10 }),
    'GET /v1/people/{network}/{id}/groups': one(person),
    'GET /v1/people/{network}/{id}/pages': one(person),
    'GET /v1/people/{network}/{id}/follows': one(person),
    'GET /v1/people/{network}/{id}/posts': one(person),
    'GET /v1/groups/{network}/{id}': one({ ...network, id: group }),
    'GET /v1/groups/{network}/{id}/members': one({ ...network, id: group }),
    'GET /v1/groups/{network}/{id}/followers': one({ ...network, id: group }),
    'GET /v1/groups/{network}/{id}/posts': one({ ...network, id: group }),
    'GET /v1/posts/{network}/{id}': one({ ...network, id: post }),
    'POST /v1/exports': [
      { body: order },
      { body: { network: NETWORK, of: { import: importId }, format: 'gexf' } },
    ],
    'GET /v1/exports': one(undefined, { limit: 2 }),
    'GET /v1/exports/{id}': one({ id: kept }),
    'DELETE /v1/exports/{id}': spare.map((id) => ({ path: { id }, once: true })),
    'GET /v1/exports/{id}/file': [
      {
        path: { id: kept },
        query: { expires: '{{expires}}', signature: '{{signature}}' },
        before: [
          {
            ...{ method: 'GET', path: `/v1/exports/${kept}`, role: 'admin' },
            find: { expires: 'link?expires', signature: 'link?signature' },
          },
        ],
      },
    ],
    'GET /v1/erasures': one(undefined, { limit: 2 }),
    'GET /v1/erasures/{id}': one({ id: erasure }),
    'GET /v1/graphs/{network}/summary': one(network),
    'GET /v1/profiles/{network}/{id}': one(person),
    'GET /v1/graphs/{network}/rankings/{by}': one({ ...network, by: 'degree' }, { limit: 3 }),
    'GET /v1/graphs/{network}/search': [
      { path: network, query: { q: 'ан' } },
      { path: network, query: { q: 'о', in: 'posts' } },
    ],
    'POST /v1/graphs/{network}/jobs': [{ path: network, body: { kind: 'k-core' } }],
    'GET /v1/graphs/{network}/jobs/{id}': one({ ...network, id: job }),
    'POST /v1/graphs/{network}/jobs/{id}/cancel': [
      {
        path: { ...network, id: '{{job}}' },
        before: [
          {
            ...{ method: 'POST', path: jobs, role: 'admin', body: { kind: 'page-rank' }, tries: 20 },
            find: { job: 'id' },
          },
        ],
      },
    ],
    'GET /v1/graphs/{network}/jobs/{id}/result': one({ ...network, id: job }),
    'GET /v1/graphs/{network}/jobs/{id}/communities/{number}/members': one({
      ...network,
      id: job,
      number: 1,
    }),
    'POST /v1/graphs/{network}/recounts': one(network),
    'GET /v1/graphs/{network}/recounts/{id}': one({ ...network, id: recount }),
    'GET /v1/events': one(undefined, { limit: 5 }),
  };
}

async function postOf(caller: Caller, people: readonly string[]): Promise<string> {
  for (const id of people) {
    const path = `/v1/people/${NETWORK}/${id}/posts`;
    const { items } = await caller.ask<{ items: { id: string }[] }>('GET', path);
    if (items[0] !== undefined) return items[0].id;
  }
  throw new Error('nobody who was imported has a post');
}
