import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImportView } from '@sociograph/api-client';
import { demoToken, eventually, type Finding, needlesOf, SecretScan } from '@sociograph/testing';
import { Fleet, fromStack, pidOf, useWorkspace } from './fleet';
import { Controls } from './secrets/controls';
import {
  checkpoint,
  lookIntoFiles,
  lookIntoPages,
  lookIntoProcesses,
  lookIntoQueues,
  lookIntoRedis,
  lookIntoRows,
} from './secrets/places';

jest.setTimeout(180_000);

const EGO_FACEBOOK = join(__dirname, '../infra/vk-simulator/data/ego-facebook.txt.gz');
const KEYS = 6;
const CRASHING = ['key-service-0', 'parser-service-0'];
/** What the simulator answers to the first keys while the import runs. */
const FAULTS = ['14', '29', '5', 'reset', '503', '6'];

/** Long enough that no other string is it by chance; the characters of VK's tokens, or those that encodings change. */
const aToken = (): string => `vk1.a.${randomBytes(48).toString('base64url')}`;
const anOddToken = (): string =>
  `vk1.a.${randomBytes(24).toString('base64url')}/+?&=%~"${randomBytes(12).toString('hex')}`;

describe('tokens', () => {
  const startedAt = Date.now() - 1_000;
  const secrets: Record<string, string> = {};
  const folder = mkdtempSync(join(tmpdir(), 'canary-'));
  const control = `control/${randomBytes(24).toString('base64url')}+?~&=${randomBytes(8).toString('hex')}`;
  const controls = new Controls(control);
  const answers: [string, string][] = [];
  let scan: SecretScan;
  let found: Finding[];
  let pages: number;

  beforeAll(async () => {
    const keys = Array.from({ length: KEYS }, (_, n) => (secrets[`token of key ${n}`] = aToken()));
    const tokensFile = join(folder, 'tokens.json');
    writeFileSync(tokensFile, JSON.stringify(keys.map((token) => ({ token, kind: 'user' }))), {
      mode: 0o600,
    });
    await useWorkspace(`canary-${randomUUID().slice(0, 8)}`);
    const fleet = await Fleet.up(EGO_FACEBOOK, { keys: KEYS, simulator: `tokens-file=${tokensFile}` });
    await registerAll(keys);
    const id = await fleet.startImport();
    await plantFaults();
    await crashes(fleet, id);
    await fleet.api.post(`/v1/imports/${id}/cancel`, {});
    scan = await scanned();
    found = scan.findings;
  });
  afterAll(async () => {
    await controls.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Good and bad registrations; every answer is kept. */
  async function registerAll(keys: readonly string[]): Promise<void> {
    const key = (token: string, more: object = {}): object => ({
      ...{ network: 'vk', kind: 'user', token, consent: { givenBy: 'the canary' } },
      ...more,
    });
    const refresh = (secrets['refresh token'] = aToken());
    const bad = (secrets['token of refused requests'] = anOddToken());
    const bearer = (secrets['token in the wrong header'] = aToken());
    const rotated = (secrets['rotated token'] = aToken());
    const unknown = (secrets['token that nobody knows'] = anOddToken());
    for (const [n, token] of keys.entries()) {
      const pair = n === 2 && { refresh: { token: refresh, clientId: '51234567', deviceId: 'canary' } };
      const answer = await asked('POST', '/v1/keys', JSON.stringify(key(token, pair || {})));
      if (answer.status !== 201) throw new Error(`A key was not registered: ${answer.status} ${answer.text}`);
    }
    const { text } = await asked('POST', '/v1/keys', JSON.stringify(key(unknown)));
    const { id } = JSON.parse(text) as { id: string };
    await asked('POST', `/v1/keys/${id}/rotate`, JSON.stringify({ token: rotated }));
    await asked('POST', '/v1/keys', JSON.stringify(key(keys[0] as string)));
    await asked('POST', '/v1/keys', JSON.stringify(key(bad, { network: 'nowhere' })));
    await asked('POST', '/v1/keys', JSON.stringify(key(bad, { kind: bad })));
    await asked('POST', '/v1/keys', JSON.stringify(key(bad, { unknown: bad })));
    await asked('POST', '/v1/keys', JSON.stringify(key(bad, { limits: bad })));
    await asked('POST', '/v1/keys', JSON.stringify({ ...key(bad), token: { inside: bad } }));
    await asked('POST', '/v1/keys', JSON.stringify({ ...key(bad), token: `${bad} `.repeat(200) }));
    await asked('POST', '/v1/keys', `{"network":"vk","token":"${bad}", oops`);
    await asked('POST', '/v1/nothing', JSON.stringify(key(bad)));
    await asked('POST', '/v1/imports', JSON.stringify({ network: bad, seeds: [bad] }));
    await asked('POST', '/v1/keys/bulk', `network,kind,token\nvk,nokind,${bad}\n`, {
      'content-type': 'text/csv',
    });
    await asked('GET', '/v1/keys', undefined, { authorization: `Bearer ${bearer}` });
    await asked('GET', '/v1/keys?limit=100');
  }

  let access = '';

  async function asked(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string }> {
    access ||= await demoToken();
    const response = await fetch(fromStack('GATEWAY_URL') + path, {
      method,
      headers: {
        authorization: `Bearer ${access}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    answers.push([
      `answer ${response.status} to ${method} ${path}`,
      `${JSON.stringify([...response.headers])}${text}`,
    ]);
    return { status: response.status, text };
  }

  async function plantFaults(): Promise<void> {
    const simulator = fromStack('VK_SIMULATOR_URL');
    const plant = async (answersOf: readonly string[]): Promise<void> => {
      for (const [n, answer] of answersOf.entries()) {
        const planted = await fetch(`${simulator}/faults?key=user-${n + 1}&answer=${answer}`, {
          method: 'POST',
        });
        if (!planted.ok) throw new Error(`The simulator plants no fault: ${planted.status}`);
      }
    };
    // Every key is in use, then meets its fault.
    await callOfEachKey(simulator, {});
    const before = await callsByKey(simulator);
    await plant(FAULTS);
    await callOfEachKey(simulator, before);
    await plant(FAULTS.map((answer) => (['5', '14'].includes(answer) ? answer : 'none')));
  }

  /** Each process is killed while the import runs, and back before the next. */
  async function crashes(fleet: Fleet, id: string): Promise<void> {
    for (const name of CRASHING) {
      const killed = fleet.kill(name);
      await eventually(() => expect(pidOf(name)).not.toBe(killed), { timeoutMs: 15_000, everyMs: 100 });
    }
    const { counters } = await fleet.api.get<ImportView>(`/v1/imports/${id}`);
    await eventually(
      async () => {
        const now = await fleet.api.get<ImportView>(`/v1/imports/${id}`);
        expect(now.counters.calls.made).toBeGreaterThan(counters.calls.made);
      },
      { timeoutMs: 40_000, everyMs: 250 },
    );
  }

  async function scanned(): Promise<SecretScan> {
    await controls.plant();
    await checkpoint();
    const all = new SecretScan({ ...secrets, control });
    for (const [place, text] of answers) all.look(place, text);
    lookIntoFiles(all, startedAt, (path) => /^run\/tokens-\d+\.json$/.test(path));
    await lookIntoRows(all, ['key_service', 'parser_service', 'identity_service']);
    await lookIntoRedis(all, 'redis-pool', fromStack('ADMIN_REDIS_POOL_URL'));
    await lookIntoRedis(all, 'redis-cache', fromStack('ADMIN_REDIS_CACHE_URL'));
    await lookIntoQueues(all, 'sociograph');
    pages = await lookIntoPages(all, [controls.page]);
    lookIntoProcesses(all, controls.process === undefined ? [] : [controls.process]);
    return all;
  }

  it('lie nowhere after a run with errors and crashes', () => {
    expect(found.filter(({ secret }) => secret !== 'control')).toEqual([]);
    expect(scan.unread).toEqual([]);
  });

  it('were used, refused and answered with errors meanwhile', () => {
    // The keys, one that the network does not know, and its successor.
    expect(answers.filter(([place]) => place.startsWith('answer 201'))).toHaveLength(KEYS + 2);
    expect(answers.filter(([place]) => /^answer 4\d\d/.test(place)).length).toBeGreaterThanOrEqual(9);
    expect(pages).toBeGreaterThanOrEqual(6);
  });

  const SHAPES = needlesOf('control', control)
    .map((needle) => needle.encoding)
    .filter((encoding) => !['utf-16', 'packed by PostgreSQL'].includes(encoding))
    .sort();

  it.each([
    ['PostgreSQL`s files', /^data: postgres\//],
    ['PostgreSQL`s rows', /^PostgreSQL key_service, rows of public\.canary_control/],
    ['the append-only file of redis-pool', /^data: redis-pool\//],
    ['values of redis-pool', /^redis-pool, values/],
    ['values of redis-cache', /^redis-cache, values/],
    ['RabbitMQ`s files', /^data: rabbitmq\//],
    ['RabbitMQ`s queues', /^RabbitMQ, queue canary_control/],
    ['Kafka`s segments', /^data: kafka\/.*\.plain-0\/\d+\.log$/],
    ['compressed batches of Kafka`s segments', /^data: kafka\/.*\.gzip-0\/\d+\.log, unpacked$/],
    ['logs', /^logs: canary_control.*\.log$/],
    ['packed logs', /^logs: canary_control.*\.log\.gz, unpacked$/],
    ['pages of metrics', /^page .*\/metrics$/],
    ['command lines', /^process control, cmdline$/],
    ['environments', /^process control, environ$/],
  ])('would have been found in %s, whatever their encoding', (_place, pattern) => {
    const encodings = found
      .filter(({ secret, place }) => secret === 'control' && pattern.test(place))
      .map(({ encoding }) => encoding);
    expect([...new Set(encodings)].sort()).toEqual(expect.arrayContaining(SHAPES));
  });

  it('would have been found in values that PostgreSQL stores packed', () => {
    const packed = found.filter(({ encoding }) => encoding === 'packed by PostgreSQL');
    expect(packed.map(({ secret, place }) => `${secret} ${place}`)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^control data: postgres\/base\//)]),
    );
  });
});

/** Waits until each of the simulator's keys was called more often than `before`. */
async function callOfEachKey(simulator: string, before: Record<string, number>): Promise<void> {
  await eventually(
    async () => {
      const calls = Object.entries(await callsByKey(simulator));
      expect(calls).toHaveLength(KEYS);
      expect(calls.filter(([key, count]) => count <= (before[key] ?? 0))).toEqual([]);
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );
}

/** How often the simulator was called with each of its keys; an answer by a fault counts. */
async function callsByKey(simulator: string): Promise<Record<string, number>> {
  const { keys } = (await (await fetch(`${simulator}/stats`)).json()) as {
    keys: { key: string; methods: Record<string, Record<string, { count: number }>> }[];
  };
  return Object.fromEntries(
    keys.map(({ key, methods }) => {
      const tallies = Object.values(methods).flatMap((fates) => Object.values(fates));
      return [key, tallies.reduce((sum, { count }) => sum + (count ?? 0), 0)];
    }),
  );
}
