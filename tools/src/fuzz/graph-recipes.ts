import type { Caller } from './caller';
import type { Imported } from './import-recipes';
import type { Recipe, Recipes, Step } from './world';

const NETWORK = 'vk';

/** Everything that reads the graph and its views; exports, analyses and erasures are made first. */
export async function graphRecipes(caller: Caller, { importId, people, group }: Imported): Promise<Recipes> {
  const [someone = '', other = '', third = ''] = people;
  // The last ones are erased; nothing else is asked about them.
  const doomed = people.slice(-6);
  const order = { network: NETWORK, of: { person: someone, depth: 1, nodes: 20 }, format: 'csv' };
  // An erasure takes exports and analyses away: each recipe makes its own.
  const anExport: Step[] = [
    { method: 'POST', path: '/v1/exports', role: 'admin', body: order, find: { export: 'id' } },
  ];
  const jobs = `/v1/graphs/${NETWORK}/jobs`;
  const aJob = (kind: string): Step => ({
    ...{ method: 'POST', path: jobs, role: 'admin', body: { kind }, find: { job: 'id' } },
    // One at a time in a workspace.
    ...{ tries: 40, pause: 0.5 },
  });
  const done: Step = {
    ...{ method: 'GET', path: `${jobs}/{{job}}`, role: 'admin', find: { finished: 'finishedAt' } },
    ...{ tries: 60, pause: 0.5 },
  };
  const recounts = `/v1/graphs/${NETWORK}/recounts`;
  const recount = (await caller.ask('POST', recounts)).id;
  const erasure = (await caller.ask('DELETE', `/v1/people/${NETWORK}/${doomed[0] ?? ''}`)).id;
  const post = await postOf(caller, people);
  const network = { network: NETWORK };
  const person = { ...network, id: someone };
  const one = (path: Recipe['path'], query?: Recipe['query']): Recipe[] => [
    { ...(path && { path }), ...(query && { query }) },
  ];
  const job = { ...network, id: '{{job}}' };
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
    'GET /v1/exports/{id}': [{ path: { id: '{{export}}' }, before: anExport }],
    'DELETE /v1/exports/{id}': [{ path: { id: '{{export}}' }, before: anExport }],
    'GET /v1/exports/{id}/file': [
      {
        path: { id: '{{export}}' },
        query: { expires: '{{expires}}', signature: '{{signature}}' },
        before: [
          ...anExport,
          {
            ...{ method: 'GET', path: '/v1/exports/{{export}}', role: 'admin', tries: 60, pause: 0.5 },
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
    'GET /v1/graphs/{network}/jobs/{id}': [{ path: job, before: [aJob('page-rank')] }],
    'POST /v1/graphs/{network}/jobs/{id}/cancel': [{ path: job, before: [aJob('page-rank')] }],
    'GET /v1/graphs/{network}/jobs/{id}/result': [{ path: job, before: [aJob('k-core'), done] }],
    'GET /v1/graphs/{network}/jobs/{id}/communities/{number}/members': [
      { path: { ...job, number: 1 }, before: [aJob('communities'), done] },
    ],
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
