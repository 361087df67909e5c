import { type FleetApi, type ImportView, pathOf, UnexpectedAnswer } from '@sociograph/api-client';
import { eventually, seeded } from '@sociograph/testing';
import { randomInt } from 'node:crypto';
import type { Cleanup } from '../fleet/cleanup';
import { deadLetters } from '../fleet/dead-letters';
import type { ErasureDrillOptions } from './arguments';
import { buryCallOf, checkpoint, filesToRewrite } from './dead-call';
import { needlesOfPerson, type Person, unmistakable } from './person';
import { PersonScan } from './person-scan';
import { lookIntoServers } from './server-contents';
import { ErasureStand } from './stand';
import { kafkaOf, sendUnreadable, shortenTopics } from './topics';
import { type ErasureFigures, type Look, missesOf } from './verdict';

export interface ErasureVerdict extends ErasureFigures {
  readonly passed: boolean;
  readonly misses: readonly string[];
}

interface Receipt {
  id: string;
  state: string;
  places: { place: string; doneAt?: string }[];
}

const EVERYTHING = ['profiles', 'friends', 'groups', 'subscriptions', 'walls', 'members'];
const MINUTE_MS = 60_000;
const COMPLETE_WITHIN_MS = 6 * MINUTE_MS;
/** Somebody else in the graph, from whom everybody is reached. */
const SEED = '1';

/** Imports a person, erases them, and looks for them in every file before, after, and after all that could bring them back. */
export async function runErasureDrill(
  options: ErasureDrillOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<ErasureVerdict> {
  // Never the same twice: what an earlier run left somewhere must not be found by this one.
  const person = unmistakable(seeded(randomInt(2 ** 40)));
  const stand = await ErasureStand.open(options, person, cleanup);
  const { api, env } = stand;
  // How many posts a wall has is drawn from the id.
  await api.tell(`/drift?wall=${person.id}&posts=3`);
  await imported(api, { seeds: [SEED], include: EVERYTHING });
  await imported(api, { seeds: [person.id], depth: 1 });
  await askForEverything(api, person);
  const kafka = kafkaOf(env);
  await sendUnreadable(kafka, person);
  await buryCallOf(env, person.id);
  await eventually(async () => (await deadLetters(env)) >= 2, { timeoutMs: MINUTE_MS, everyMs: 1000 });
  await checkpoint(env);
  const before = await look(stand, person);
  say(`> before: ${before.traces.length} traces in ${before.files} files`);

  await shortenTopics(kafka);
  const asked = performance.now();
  const receipt = await api.delete<Receipt>(pathOf`/v1/people/vk/${person.id}`);
  await complete(api, receipt.id, say);
  const completeMs = performance.now() - asked;
  say(`> complete after ${(completeMs / 1000).toFixed(1)} s`);
  const afterComplete = await look(stand, person);
  say(`> after it: ${afterComplete.traces.length} traces`);

  const arango = ['ARANGO_URL', 'ARANGO_DATABASE', 'ARANGO_USERNAME', 'ARANGO_PASSWORD'];
  await stand.command('read-model-projector', 'rebuild.js', [], arango);
  const calls = ['DATABASE_URL_APP', 'DATABASE_URL_WORKER', 'RABBITMQ_URL'];
  await stand.command('parser-service', 'redrive.js', ['all'], calls);
  const ended = await imported(api, { seeds: [SEED, person.id], include: EVERYTHING });
  const faults = await faultsOf(api, person, ended);
  await askForTheRest(api);
  await eventually(async () => (await filesToRewrite(env)) === 0, { timeoutMs: MINUTE_MS, everyMs: 500 });
  const again = await look(stand, person);
  const figures = { before, afterComplete, again, completeMs, faults };
  const misses = missesOf(figures);
  return { ...figures, misses, passed: misses.length === 0 };
}

async function imported(
  api: FleetApi,
  order: { seeds: string[]; include?: string[]; depth?: number },
): Promise<ImportView> {
  const { id } = await api.startImport(order);
  const ended = await api.ended(id, { timeoutMs: 4 * MINUTE_MS });
  if (ended.state !== 'completed') throw new Error(`an import ended as ${ended.state}`);
  return ended;
}

/** Every view, cache and file that can hold somebody comes to hold the person. */
async function askForEverything(api: FleetApi, { id, first, last }: Person): Promise<void> {
  const person = pathOf`/v1/people/vk/${id}`;
  const search = (q: string) =>
    eventually(async () => (await found(api, q)).includes(id), { timeoutMs: MINUTE_MS });
  await search(first);
  await search(last);
  for (const part of [
    '',
    '/friends',
    '/posts',
    '/groups',
    '/pages',
    '/follows',
    '/surroundings',
    `/path?to=${SEED}`,
  ])
    await api.get(`${person}${part}`);
  await api.get(pathOf`/v1/profiles/vk/${id}`);
  await askForTheRest(api);
  const jobs = '/v1/graphs/vk/jobs';
  for (const kind of ['communities', 'page-rank']) {
    const job = await api.create<{ id: string }>(jobs, { kind });
    await eventually(
      async () => (await api.get<{ finishedAt?: string }>(`${jobs}/${job.id}`)).finishedAt !== undefined,
      { timeoutMs: MINUTE_MS, everyMs: 500 },
    );
    await api.get(`${jobs}/${job.id}/result`);
  }
  for (const order of [
    { format: 'gexf' },
    { format: 'csv' },
    { format: 'graphml', of: { person: id, depth: 1 } },
  ]) {
    const wanted = await api.create<{ id: string }>('/v1/exports', { network: 'vk', ...order });
    await eventually(
      async () => (await api.get<{ state: string }>(`/v1/exports/${wanted.id}`)).state === 'ready',
      {
        timeoutMs: MINUTE_MS,
        everyMs: 500,
      },
    );
  }
}

/** What names nobody in the question. */
async function askForTheRest(api: FleetApi): Promise<void> {
  await api.get('/v1/graphs/vk/summary');
  for (const by of ['degree', 'triangles', 'clustering']) await api.get(`/v1/graphs/vk/rankings/${by}`);
  await api.get('/v1/people/vk');
  await api.get(pathOf`/v1/people/vk/${SEED}/friends`);
  await api.get(pathOf`/v1/profiles/vk/${SEED}`);
}

/** Ids of the people that a search finds. */
async function found(api: FleetApi, q: string): Promise<string[]> {
  const { items } = await api.get<{ items: { person?: { id: string } }[] }>('/v1/graphs/vk/search', { q });
  return items.flatMap(({ person }) => person?.id ?? []);
}

async function complete(api: FleetApi, id: string, say: (line: string) => void): Promise<void> {
  let told = '';
  await eventually(
    async () => {
      const { state, places } = await api.get<Receipt>(pathOf`/v1/erasures/${id}`);
      const open = places.filter(({ doneAt }) => doneAt === undefined).map(({ place }) => place);
      const line = `  ${state}; still: ${open.join(', ') || 'nothing'}`;
      if (line !== told) say(line);
      told = line;
      return state === 'complete';
    },
    { timeoutMs: COMPLETE_WITHIN_MS, everyMs: 500 },
  );
}

/** What a new import brought back, as the API shows it. */
async function faultsOf(api: FleetApi, { id, first, last }: Person, ended: ImportView): Promise<string[]> {
  const faults: string[] = [];
  await api.summaryAfter(ended);
  for (const path of [pathOf`/v1/people/vk/${id}`, pathOf`/v1/profiles/vk/${id}`])
    if ((await statusOf(api, path)) !== 404)
      faults.push(`GET ${path.replace(id, '<the person>')} is not 404`);
  for (const name of [first, last])
    if ((await found(api, name)).length > 0) faults.push('the person is found by name');
  return faults;
}

async function statusOf(api: FleetApi, path: string): Promise<number> {
  try {
    await api.get(path);
    return 200;
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return error.status;
    throw error;
  }
}

async function look(stand: ErasureStand, person: Person): Promise<Look> {
  const scan = new PersonScan(needlesOfPerson(person));
  await lookIntoServers(scan, stand.env);
  scan.lookBelow(stand.folder);
  const { traces, unread, files, bytes } = scan;
  return { traces, unread, files, bytes };
}
