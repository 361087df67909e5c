import type { Caller } from './caller';
import type { Recipe, Recipes } from './world';

const SPARE = 12;
const consent = { givenBy: 'the fuzzer' };
/** Keys that no network knows: bound to an address that no worker has, they are never leased. */
const spare = { network: 'vk', kind: 'user', token: 'vk1.a.fuzz-{{uuid}}', consent, egress: 'nowhere' };

/** Registers the simulator's keys and some that may be spoilt. */
export async function keyRecipes(caller: Caller, tokens: readonly string[]): Promise<Recipes> {
  const ids: string[] = [];
  for (const [index, token] of tokens.entries()) {
    const key = { network: 'vk', kind: 'user', token, label: `the simulator's ${index}`, consent };
    ids.push((await caller.ask('POST', '/v1/keys', { body: key })).id);
  }
  const spares: string[] = [];
  for (let made = 0; made < SPARE; made += 1) {
    const body = { ...spare, token: `vk1.a.fuzz-spare-${made}-${ids[0] ?? ''}` };
    spares.push((await caller.ask('POST', '/v1/keys', { body })).id);
  }
  const [first = '', second = '', third = '', ...others] = spares;
  const read: Recipe[] = [first, second].map((id) => ({ path: { id } }));
  const once = (from: number, to: number, body?: unknown): Recipe[] =>
    others.slice(from, to).map((id) => ({ path: { id }, once: true, ...(body !== undefined && { body }) }));
  const settings = { label: 'fuzzed {{uuid}}', weight: 2, limits: { perSecond: 2 }, scopes: ['friends'] };
  return {
    'POST /v1/keys': [{ body: spare }],
    'POST /v1/keys/bulk': [{ body: [spare, spare] }],
    'GET /v1/keys': [{ query: { limit: 2, network: 'vk', state: 'active' } }, {}],
    'GET /v1/keys/{id}': read,
    'PATCH /v1/keys/{id}': [{ path: { id: second }, body: settings }],
    'DELETE /v1/keys/{id}': once(0, 3),
    'PUT /v1/keys/{id}/shares': [{ path: { id: second }, body: { workspaces: ['fuzz-partner'] } }],
    'POST /v1/keys/{id}/rotate': once(3, 6, { token: 'vk1.a.fuzz-{{uuid}}' }),
    'POST /v1/keys/{id}/pause': [
      { path: { id: first }, before: [{ method: 'POST', path: `/v1/keys/${first}/resume` }] },
    ],
    'POST /v1/keys/{id}/resume': [
      { path: { id: first }, before: [{ method: 'POST', path: `/v1/keys/${first}/pause` }] },
    ],
    'POST /v1/keys/{id}/withdraw-consent': once(6, 9),
    'GET /v1/keys/{id}/history': read,
    'GET /v1/keys/{id}/usage': read,
    'GET /v1/keys/{id}/leases': read,
    'GET /v1/keys/{id}/rests': read,
    'DELETE /v1/keys/{id}/rests': [{ path: { id: third } }],
    'POST /v1/keys/{id}/probe': [{ path: { id: third } }],
    'GET /v1/pool/explain': [{ query: { network: 'vk', methods: 'friends.get:25' } }],
    'GET /v1/pool/margins': [{}],
    'DELETE /v1/pool/margins/{network}': [{ path: { network: 'vk' } }],
  };
}
