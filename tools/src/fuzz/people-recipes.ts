import { randomUUID } from 'node:crypto';
import type { Caller } from './caller';
import type { Recipe, Recipes } from './world';

const MEMBERS = 9;
/** Invitations for what succeeds once: one that is refused for the number of registrations is used up, too. */
const SPARE = 8;
const password = 'correct horse battery';
const email = 'fuzz-{{uuid}}@example.org';

interface Members {
  items: { subject: string; email: string }[];
}

/**
 * Registers accounts by invitation, and removes some, who may then join again. `tokenOf` gives a token of an account, in
 * the workspace or in none.
 */
export async function peopleRecipes(
  caller: Caller,
  tokenOf: (subject: string, inWorkspace: boolean) => string,
): Promise<Recipes> {
  const invite = (): Promise<{ id: string; token: string }> =>
    caller.ask('POST', '/v1/workspace/invitations', { body: { roles: ['viewer'] } });
  for (let made = 0; made < MEMBERS; made += 1) {
    const { token } = await invite();
    const body = { email: `fuzz-${randomUUID()}@example.org`, password, token };
    await caller.ask('POST', '/v1/register/invited', { body, role: 'nobody' });
  }
  const list = await caller.until<Members>(
    '/v1/workspace/members?limit=200',
    ({ items }) => items.length >= MEMBERS,
  );
  const [reader = '', changed = '', ...rest] = list.items.map(({ subject }) => subject);
  const [leaving, doomed, removed] = [rest.slice(0, 2), rest.slice(2, 4), rest.slice(4)];
  const accepting: Recipe[] = [];
  for (const subject of removed) {
    await caller.ask('DELETE', `/v1/workspace/members/${subject}`);
    const { token } = await invite();
    accepting.push({ body: { token }, token: tokenOf(subject, false), role: 'nobody', once: true });
  }
  const withdrawn: Recipe[] = [];
  const newcomers: Recipe[] = [];
  for (let made = 0; made < SPARE; made += 1) {
    withdrawn.push({ path: { id: (await invite()).id }, once: true });
    newcomers.push({ body: { email, password, token: (await invite()).token }, once: true });
  }
  return {
    'POST /v1/register': [{ body: { email, password, workspace: 'Fuzzed' } }],
    'POST /v1/register/invited': newcomers,
    'GET /v1/workspace': [{}],
    'PATCH /v1/workspace': [{ body: { name: 'Fuzzed {{uuid}}' } }],
    'POST /v1/workspace/leave': leaving.map((subject) => ({
      ...{ token: tokenOf(subject, true), role: 'viewer', once: true },
    })),
    'GET /v1/workspace/members': [{ query: { limit: 3 } }],
    'GET /v1/workspace/members/{subject}': [{ path: { subject: reader } }],
    'PUT /v1/workspace/members/{subject}/roles': [
      { path: { subject: changed }, body: { roles: ['viewer', 'analyst'] } },
      { path: { subject: changed }, body: { roles: ['operator'] } },
    ],
    'DELETE /v1/workspace/members/{subject}': doomed.map((subject) => ({ path: { subject }, once: true })),
    'POST /v1/workspace/invitations': [{ body: { roles: ['analyst'], note: 'fuzzed', days: 1 } }],
    'GET /v1/workspace/invitations': [{ query: { limit: 5 } }],
    'DELETE /v1/workspace/invitations/{id}': withdrawn,
    'POST /v1/invitations/accept': accepting,
    'GET /v1/workspace/quotas': [{}],
    'PUT /v1/workspaces/{id}/quotas': [
      { path: { id: 'fuzz-elsewhere' }, body: { limits: { keys: 7, exports: 3 } } },
    ],
    'GET /v1/audit': [{ query: { limit: 5 } }, { role: 'platform-operator' }],
  };
}
