import { randomUUID } from 'node:crypto';
import { callQueue, EXCHANGES } from '@sociograph/contracts';
import { askRabbit } from '@sociograph/testing';
import type { Caller } from './caller';
import type { FuzzStack } from './stack';
import type { Recipe, Recipes, Step } from './world';

const VHOST = 'sociograph';
const ENDED = ['completed', 'cancelled', 'failed'];

/** What the imports brought. */
export interface Imported {
  importId: string;
  people: string[];
  group: string;
}

interface ImportView {
  id: string;
  state: string;
}

const csv = (): string => `from,to\n${randomUUID().replace(/\D/g, '').slice(0, 9)},7\n7,8\n`;

/** Imports a part of the simulator's graph, and leaves imports in every state; uploads, and calls that nobody can make. */
export async function importRecipes(
  caller: Caller,
  stack: FuzzStack,
): Promise<{ recipes: Recipes; world: Imported }> {
  const seeds = await simulatorSeeds(stack);
  const [seed = '1'] = seeds;
  const everything = ['friends', 'groups', 'subscriptions', 'walls'];
  const start = async (order: object): Promise<string> =>
    (await caller.ask('POST', '/v1/imports', { body: { network: 'vk', ...order } })).id;
  const ended = (id: string): Promise<ImportView> =>
    caller.until<ImportView>(`/v1/imports/${id}`, ({ state }) => ENDED.includes(state));
  const small = { include: everything, limits: { people: 120 }, walls: { last: 5 } };
  const importId = await start({ seeds: [seed], depth: 1, ...small });
  await ended(importId);
  const people = (await caller.ask<{ items: { id: string }[] }>('GET', '/v1/people/vk?limit=100')).items.map(
    ({ id }) => id,
  );
  const group = await groupOf(caller, people);
  const community = { include: ['members', 'walls'], limits: { people: 200 }, walls: { last: 5 } };
  await ended(await start({ seeds: [`club${group}`], ...community }));
  // Never finished: the whole graph with all its walls. Paused, so that they wait for a recipe that goes on with them.
  const long: string[] = [];
  for (let made = 0; made < 6; made += 1) {
    const id = await start({ seeds: [seed], include: everything, walls: { last: 100_000 } });
    await caller.ask('POST', `/v1/imports/${id}/pause`);
    long.push(id);
  }
  const [paused = '', working = '', ...spare] = long;
  const doomed = spare.slice(0, 2);
  for (const id of doomed) await caller.ask('POST', `/v1/imports/${id}/cancel`);
  const uploads: string[] = [];
  for (let made = 0; made < 5; made += 1)
    uploads.push((await caller.ask('POST', '/v1/uploads', { body: csv(), type: 'text/csv' })).id);
  const dead = await makeDeadCalls(stack, caller);
  const step = (id: string, verb: string): Step => ({ method: 'POST', path: `/v1/imports/${id}/${verb}` });
  const once = (ids: string[]): Recipe[] => ids.map((id) => ({ path: { id }, once: true }));
  const keys = (await caller.ask<{ items: { id: string }[] }>('GET', '/v1/keys?label=the')).items;
  const recipes: Recipes = {
    'POST /v1/imports': [
      { query: { dryRun: 'true' }, body: { network: 'vk', seeds: [seed], depth: 1 } },
      { body: { network: 'vk', seeds: [people[3] ?? seed], depth: 1, limits: { people: 3 } } },
      { body: { network: 'file', files: { friendships: uploads[0] } } },
    ],
    'GET /v1/imports': [{ query: { limit: 3, state: 'completed', network: 'vk' } }],
    'GET /v1/imports/{id}': [{ path: { id: importId } }, { path: { id: paused } }],
    'DELETE /v1/imports/{id}': once(doomed),
    'GET /v1/imports/{id}/certificate': [{ path: { id: importId } }],
    'POST /v1/imports/{id}/pause': [{ path: { id: paused }, before: [step(paused, 'resume')] }],
    'POST /v1/imports/{id}/resume': [{ path: { id: paused }, before: [step(paused, 'pause')] }],
    'POST /v1/imports/{id}/cancel': once(spare.slice(2)),
    'POST /v1/imports/{id}/retry': [{ path: { id: importId } }],
    'GET /v1/imports/{id}/events': [{ path: { id: importId } }],
    'POST /v1/uploads': [
      { query: { network: 'file' }, body: 'from,to\n1,2\n2,3\n', type: 'text/csv' },
      { body: '1 2\n2 3\n', type: 'text/plain' },
    ],
    'GET /v1/uploads': [{ query: { limit: 2 } }],
    'GET /v1/uploads/{id}': [{ path: { id: uploads[0] ?? '' } }],
    'DELETE /v1/uploads/{id}': once(uploads.slice(2)),
    'GET /v1/dead-calls': [{ query: { limit: 5 } }],
    'POST /v1/dead-calls/redrive': [{}],
    'POST /v1/dead-calls/{id}/redrive': [
      {
        path: { id: '{{call}}' },
        before: [{ method: 'GET', path: '/v1/dead-calls?limit=5', find: { call: 'items.0.id' }, tries: 100 }],
      },
      ...dead.map((id) => ({ path: { id } })),
    ],
    // Leases live as long as a call: one import goes on until one is seen.
    'DELETE /v1/pool/leases/{leaseId}': [
      {
        path: { leaseId: '{{lease}}' },
        before: [
          step(working, 'resume'),
          {
            ...{ method: 'GET', path: `/v1/keys/${keys[0]?.id ?? ''}/leases`, tries: 200 },
            find: { lease: 'items.0.leaseId' },
          },
        ],
      },
    ],
  };
  return { recipes, world: { importId, people, group } };
}

async function simulatorSeeds(stack: FuzzStack): Promise<string[]> {
  const answer = await fetch(`${stack.value('VK_SIMULATOR_URL')}/seeds`);
  return ((await answer.json()) as { seeds: number[] }).seeds.map(String);
}

async function groupOf(caller: Caller, people: readonly string[]): Promise<string> {
  for (const id of people) {
    const { items } = await caller.ask<{ items: { id: string }[] }>('GET', `/v1/people/vk/${id}/groups`);
    if (items[0] !== undefined) return items[0].id;
  }
  throw new Error('nobody who was imported is in a group');
}

/** Tasks that name no call: the consumer puts them into the dead queue. */
async function makeDeadCalls(stack: FuzzStack, caller: Caller): Promise<string[]> {
  const ids = Array.from({ length: 3 }, () => `fuzz-${randomUUID()}`);
  for (const id of ids) {
    await askRabbit(
      stack.value('RABBITMQ_MANAGEMENT_URL'),
      'POST',
      `exchanges/${VHOST}/${EXCHANGES.tasks}/publish`,
      {
        properties: { message_id: id, content_type: 'application/json', delivery_mode: 2 },
        routing_key: callQueue('vk'),
        payload: JSON.stringify({ callId: 'none' }),
        payload_encoding: 'string',
      },
    );
  }
  const deadline = performance.now() + 30_000;
  for (;;) {
    const path = '/v1/dead-calls?limit=200';
    const { items } = await caller.ask<{ items: { id: string }[] }>('GET', path, {
      role: 'platform-operator',
    });
    if (ids.every((id) => items.some((each) => each.id === id))) return ids;
    if (performance.now() > deadline) throw new Error('the dead calls are not in the dead queue');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
