import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { buildNormalGraph } from '@sociograph/graph-file';
import { generateKeys, keysFrom } from '../src/keys';
import type { SimulatedKey } from '../src/keys';
import { readSettings } from '../src/settings';
import { Simulator } from '../src/simulator';

interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  json: Record<string, unknown>;
  ms: number;
}

const agent = new http.Agent({ keepAlive: true });
afterAll(() => agent.destroy());

/** 1-2-3 and 1-3, 3-4, and 10 alone with 11; keys 0-1 user, 2 service, 3 community. */
class Bench {
  readonly keys: SimulatedKey[];
  private readonly simulator: Simulator;
  port = 0;

  constructor(...flags: string[]) {
    const settings = readSettings(['--graph', 'none', '--port', '0', '--delay', '0', ...flags], {});
    const graph = buildNormalGraph(
      [1, 2, 3, 4, 10, 11],
      Uint32Array.from([0, 1, 1, 2, 0, 2, 2, 3, 4, 5]),
      10,
      0,
    );
    this.keys = generateKeys(settings.seed, { user: 2, service: 1, community: 1 }, 1000);
    this.simulator = new Simulator(settings, graph, this.keys);
  }

  async start(): Promise<this> {
    this.port = await this.simulator.listen();
    return this;
  }

  close(): Promise<void> {
    return this.simulator.close();
  }

  send(
    path: string,
    options: { method?: string; headers?: http.OutgoingHttpHeaders; body?: string | Buffer } = {},
  ): Promise<Reply> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const request = http.request(
        { port: this.port, path, agent, method: options.method ?? 'GET', headers: options.headers ?? {} },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const raw = Buffer.concat(chunks);
            const body = response.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
            const isJson =
              String(response.headers['content-type']).startsWith('application/json') && body.length > 0;
            const json = (isJson ? JSON.parse(body.toString()) : {}) as Record<string, unknown>;
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body,
              json,
              ms: performance.now() - started,
            });
          });
        },
      );
      request.on('error', reject);
      request.end(options.body);
    });
  }

  /** As vk-io sends: POST, urlencoded, the token in the body. */
  call(method: string, parameters: Record<string, string | number>, key = 0): Promise<Reply> {
    const form = new URLSearchParams({ access_token: (this.keys[key] as SimulatedKey).token, v: '5.199' });
    for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
    return this.send(`/method/${method}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'accept-encoding': 'gzip,deflate',
        connection: 'keep-alive',
      },
      body: form.toString(),
    });
  }

  reset(): Promise<Reply> {
    return this.send('/reset', { method: 'POST' });
  }
}

const errorOf = (reply: Reply): [number, string] => {
  const { error_code, error_msg } = reply.json['error'] as { error_code: number; error_msg: string };
  expect(reply.status).toBe(200);
  return [error_code, error_msg];
};

describe('the simulator', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await new Bench(
      '--private',
      '2',
      '--deleted',
      '4',
      '--hidden',
      '10',
      '--budget',
      'friends.get=40',
    ).start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.reset());

  it('answers the same to POST forms, multipart, GET with a header token', async () => {
    const { token } = bench.keys[0] as SimulatedKey;
    const expected = { response: { count: 3, items: [1, 2, 4] } };
    expect((await bench.call('friends.get', { user_id: 3 })).json).toEqual(expected);
    const fetched = await bench.send('/method/friends.get?user_id=3&v=5.131&extra=1', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(fetched.json).toEqual(expected);
    expect(fetched.headers['content-type']).toBe('application/json; charset=utf-8');
    const form = ['access_token', token, 'v', '5.81', 'user_id', '3'];
    const parts = [0, 2, 4].map(
      (at) => `--b0\r\nContent-Disposition: form-data; name="${form[at]}"\r\n\r\n${form[at + 1]}\r\n`,
    );
    const multipart = await bench.send('/method/friends.get', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b0' },
      body: `${parts.join('')}--b0--\r\n`,
    });
    expect(multipart.json).toEqual(expected);
  });

  it('repeats the parameters of a failed request, without the token, then method and oauth', async () => {
    const reply = await bench.call('friends.get', { user_id: 2, order: 'name' });
    expect(reply.json).toEqual({
      error: {
        error_code: 30,
        error_msg: 'This profile is private',
        request_params: [
          { key: 'v', value: '5.199' },
          { key: 'user_id', value: '2' },
          { key: 'order', value: 'name' },
          { key: 'method', value: 'friends.get' },
          { key: 'oauth', value: '1' },
        ],
      },
    });
  });

  it.each([
    ['friends.get', { user_id: 4 }, 0, 18, 'User was deleted or banned'],
    ['friends.get', { user_id: 10 }, 0, 15, 'Access denied'],
    ['friends.get', { user_id: 5 }, 0, 113, 'Invalid user id'],
    [
      'friends.get',
      { user_id: '1.5' },
      0,
      100,
      'One of the parameters specified was missing or invalid: user_id not integer',
    ],
    [
      'friends.get',
      { user_id: -1 },
      0,
      100,
      'One of the parameters specified was missing or invalid: user_id should be positive',
    ],
    [
      'friends.get',
      { user_id: 1, count: -1 },
      0,
      100,
      'One of the parameters specified was missing or invalid: count should be positive',
    ],
    [
      'friends.get',
      {},
      2,
      100,
      'One of the parameters specified was missing or invalid: user_id is undefined',
    ],
    [
      'friends.get',
      { user_id: 1 },
      3,
      27,
      'Group authorization failed: method is unavailable with group auth.',
    ],
    ['users.get', { user_ids: 'durov.x' }, 0, 113, 'Invalid user id'],
    [
      'users.get',
      {},
      2,
      100,
      'One of the parameters specified was missing or invalid: user_ids is undefined',
    ],
    ['Users.get', {}, 0, 3, 'Unknown method passed'],
    ['execute', {}, 0, 100, 'One of the parameters specified was missing or invalid: code is undefined'],
    ['execute', { code: 'for(;;){}' }, 0, 12, "Unable to compile code: 'for' is not supported (line 1)"],
    [
      'execute',
      { code: 'return false.slice(1);' },
      0,
      13,
      'Runtime error occurred during code invocation: Method slice requires an array',
    ],
    [
      'execute',
      { code: 'var s = "aaaaaaaa"; while (s.length < 6000000) { s = s + s; } return s;' },
      0,
      13,
      'Runtime error occurred during code invocation: response size is too big',
    ],
  ])('%s %j fails as recorded', async (method, parameters, key, code, message) => {
    expect(errorOf(await bench.call(method, parameters as Record<string, string | number>, key))).toEqual([
      code,
      message,
    ]);
  });

  it('refuses missing and wrong tokens, and old versions', async () => {
    expect(errorOf(await bench.send('/method/users.get?v=5.199'))).toEqual([
      5,
      'User authorization failed: no access_token passed.',
    ]);
    expect(errorOf(await bench.send('/method/users.get?v=5.199&access_token=x'))).toEqual([
      5,
      'User authorization failed: invalid access_token (4).',
    ]);
    const json = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ access_token: 'x' }),
    };
    expect(errorOf(await bench.send('/method/users.get', json))[0]).toBe(5);
    for (const v of ['5.80', '4.999', 'latest', '']) {
      const reply = await bench.call('users.get', { v });
      expect(errorOf(reply)[0]).toBe(8);
      const { request_params } = reply.json['error'] as { request_params: Array<{ key: string }> };
      expect(request_params.slice(0, 2).map(({ key }) => key)).toEqual(['method', 'oauth']);
      await bench.reset();
    }
  });

  it('pages friend lists and gives profiles with fields', async () => {
    const page = await bench.call('friends.get', { user_id: 3, count: 1, offset: 1 });
    expect(page.json).toEqual({ response: { count: 3, items: [2] } });
    const profiles = (await bench.call('friends.get', { user_id: 3, fields: 'sex, city' })).json[
      'response'
    ] as { items: object[] };
    expect(profiles.items).toEqual([
      expect.objectContaining({ id: 1, is_closed: false, can_access_closed: true }),
      expect.objectContaining({ id: 2, is_closed: true, can_access_closed: false }),
      { id: 4, first_name: 'DELETED', last_name: '', deactivated: 'deleted' },
    ]);
    const users = await bench.call('users.get', { user_ids: '3, 999,id1' });
    expect((users.json['response'] as Array<{ id: number }>).map(({ id }) => id)).toEqual([3, 1]);
  });

  it('runs a packed call: false for what failed, the errors in order, the last one again as execute', async () => {
    const code =
      'var ids = [1,2,4,3]; var out = []; var i = 0; while (i < ids.length) { out.push(API.friends.get({"user_id": ids[i], "count": 5000})); i = i + 1; } return out;';
    const reply = await bench.call('execute', { code });
    expect(reply.json).toEqual({
      response: [{ count: 2, items: [2, 3] }, false, false, { count: 3, items: [1, 2, 4] }],
      execute_errors: [
        { method: 'friends.get', error_code: 30, error_msg: 'This profile is private' },
        { method: 'friends.get', error_code: 18, error_msg: 'User was deleted or banned' },
        { method: 'execute', error_code: 18, error_msg: 'User was deleted or banned' },
      ],
    });
  });

  it('spends the daily budget of a method inside execute too, and answers 29 after it', async () => {
    const batch = `return [${'API.friends.get({"user_id":1}),'.repeat(25)}];`;
    expect((await bench.call('execute', { code: batch })).json['execute_errors']).toBeUndefined();
    const second = await bench.call('execute', { code: batch });
    expect(second.json['execute_errors']).toHaveLength(11);
    expect((second.json['execute_errors'] as object[])[0]).toEqual({
      method: 'friends.get',
      error_code: 29,
      error_msg: 'Rate limit reached',
    });
    expect(errorOf(await bench.call('friends.get', { user_id: 1 }))).toEqual([29, 'Rate limit reached']);
    expect((await bench.call('friends.get', { user_id: 1 }, 1)).json['error']).toBeUndefined();
  });

  it('serves three a second to a user key and twenty to a community key, and says so', async () => {
    const user = await Promise.all(Array.from({ length: 5 }, () => bench.call('utils.getServerTime', {})));
    expect(user.filter((reply) => 'error' in reply.json)).toHaveLength(2);
    expect(errorOf(user[4] as Reply)).toEqual([6, 'Too many requests per second']);
    const community = await Promise.all(
      Array.from({ length: 22 }, () => bench.call('utils.getServerTime', {}, 3)),
    );
    expect(community.filter((reply) => 'error' in reply.json)).toHaveLength(2);
    const stats = (await bench.send('/stats?times=1')).json as {
      totals: Record<string, number>;
      keys: Array<{
        key: string;
        methods: Record<string, Record<string, { count: number; times: number[] }>>;
      }>;
    };
    expect(stats.totals).toMatchObject({ served: 23, refused: 4, overBudget: 0, withoutValidToken: 0 });
    const first = stats.keys[0]?.methods['utils.getServerTime'];
    expect([stats.keys[0]?.key, first?.['served']?.count, first?.['refused']?.count]).toEqual([
      'user-1',
      3,
      2,
    ]);
    expect(first?.['served']?.times).toHaveLength(3);
    expect(JSON.stringify(stats)).not.toContain('vk1.a.');
  });

  it('answers path probes and its own pages without counting them', async () => {
    for (let n = 0; n < 5; n += 1)
      expect((await bench.send('/favicon.ico', { method: 'HEAD' })).status).toBe(200);
    expect((await bench.send('/none')).status).toBe(404);
    expect((await bench.send('/stats')).json['totals']).toMatchObject({ served: 0, refused: 0, probes: 5 });
    expect((await bench.send('/seeds')).json).toEqual({ seeds: [3, 11], shift: 0 });
    expect((await bench.send('/world')).json).toMatchObject({
      people: 6,
      friendships: 5,
      private: [2],
      deleted: [4],
      hidden: [10],
      banned: [],
    });
  });
});

describe('the network in front of the simulator', () => {
  it('delays worked answers by the service time, refusals and probes by the path alone', async () => {
    const bench = await new Bench('--delay', '80', '--jitter', '10').start();
    const replies = await Promise.all(Array.from({ length: 4 }, () => bench.call('utils.getServerTime', {})));
    const refused = replies.filter((reply) => 'error' in reply.json);
    const served = replies.filter((reply) => !('error' in reply.json));
    expect(refused).toHaveLength(1);
    expect(Math.min(...served.map(({ ms }) => ms))).toBeGreaterThanOrEqual(79);
    expect((refused[0] as Reply).ms).toBeLessThan(79);
    await bench.close();
  });

  it('delays replies by a jitter of their own, which takes no part in the limits', async () => {
    const bench = await new Bench('--reply-jitter', '200').start();
    const replies = await Promise.all(Array.from({ length: 9 }, () => bench.call('utils.getServerTime', {})));
    expect(replies.filter((reply) => 'error' in reply.json)).toHaveLength(6);
    expect(Math.max(...replies.map(({ ms }) => ms))).toBeGreaterThan(100);
    const probes = await Promise.all(
      Array.from({ length: 9 }, () => bench.send('/nothing/here', { method: 'HEAD' })),
    );
    expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([404]));
    expect(Math.max(...probes.map(({ ms }) => ms))).toBeGreaterThan(100);
    expect((await bench.send('/stats')).json['totals']).toMatchObject({ served: 3, refused: 6 });
    await bench.close();
  });

  it('changes in mid-run, and names what it cannot read', async () => {
    const bench = await new Bench().start();
    const changed = await bench.send('/network?jitter=100&delay=50-60', { method: 'POST' });
    expect(changed.json).toMatchObject({ jitterMs: 100, replyJitterMs: 0, delayMs: [50, 60] });
    expect((await bench.call('utils.getServerTime', {})).ms).toBeGreaterThanOrEqual(49);
    const wrong = await bench.send('/network?jitter=much', { method: 'POST' });
    expect([wrong.status, wrong.json]).toEqual([400, { error: 'jitter must be milliseconds.' }]);
    await bench.close();
  });

  it('answers one key with a planted fault until it is taken away; the other keys do not notice', async () => {
    const bench = await new Bench().start();
    const plant = (answer: string): Promise<Reply> =>
      bench.send(`/faults?key=user-1&answer=${answer}`, { method: 'POST' });
    await plant('5');
    expect(errorOf(await bench.call('utils.getServerTime', {}))).toEqual([
      5,
      'User authorization failed: invalid access_token (4).',
    ]);
    expect((await bench.call('utils.getServerTime', {}, 1)).json).toHaveProperty('response');
    await plant('503');
    expect((await bench.call('utils.getServerTime', {})).status).toBe(503);
    await plant('reset');
    await expect(bench.call('utils.getServerTime', {})).rejects.toThrow();
    await bench.reset();
    expect((await bench.call('utils.getServerTime', {})).json).toHaveProperty('response');
    expect((await plant('4')).status).toBe(400);
    expect((await bench.send('/faults?key=nobody&answer=5', { method: 'POST' })).json).toEqual({
      error: 'key must be the name of a key.',
    });
    await bench.close();
  });

  it('aligns fixed windows to the clock of its Date header', async () => {
    const bench = await new Bench('--window', 'fixed-clock', '--clock-skew', '400').start();
    const replies = [];
    for (let n = 0; n < 12; n += 1) {
      replies.push(await bench.call('utils.getServerTime', {}));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    const perSecond = new Map<string, number>();
    for (const reply of replies) {
      const date = String(reply.headers.date);
      if (!('error' in reply.json)) perSecond.set(date, (perSecond.get(date) ?? 0) + 1);
    }
    // 150 ms apart: every whole second of the Date header holds six or seven calls, of which three are served.
    expect(perSecond.size).toBeGreaterThanOrEqual(2);
    expect(Math.max(...perSecond.values())).toBe(3);
    const skewMs = Date.parse(String(replies.at(-1)?.headers.date)) - Date.now();
    expect(Math.abs(skewMs - 400 + 650)).toBeLessThan(700);
    await bench.close();
  });
});

describe('keys', () => {
  it('are the same for the same seed, are written once with mode 0600, and are read again', () => {
    const file = join(tmpdir(), `tokens-${process.pid}.json`);
    const generate = () => generateKeys(5, { user: 2, service: 0, community: 1 }, 100);
    const keys = keysFrom(file, generate);
    expect(keys).toEqual(generate());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(keysFrom(file, () => [])).toEqual(keys);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveLength(3);
    writeFileSync(
      file,
      JSON.stringify([{ token: 'abc' }, { token: 'def', kind: 'service', bucket: 'app', perSecond: 5 }]),
    );
    expect(keysFrom(file, generate).map(({ name, perSecond, bucket }) => [name, perSecond, bucket])).toEqual([
      ['user-1', 3, 'user-1'],
      ['service-2', 5, 'app'],
    ]);
    writeFileSync(file, '[{"kind":"user"}]');
    expect(() => keysFrom(file, generate)).toThrow('entry 1 has no token or an unknown kind');
    rmSync(file);
  });
});

describe('settings', () => {
  it('come from flags, then from the environment, and name their faults', () => {
    const settings = readSettings(
      ['--graph', 'g', '--keys', '7', '--private', '0.1', '--budget', 'a.b=1', '--budget', 'c.d=2'],
      {
        VK_SIMULATOR_KEYS: '9',
        VK_SIMULATOR_JITTER: '20',
        VK_SIMULATOR_DELAY: '50-300',
      },
    );
    expect(settings).toMatchObject({
      keys: { user: 7 },
      jitterMs: 20,
      delayMs: [50, 300],
      window: 'sliding',
      port: 47023,
    });
    expect([...settings.budgets]).toEqual([
      ['a.b', 1],
      ['c.d', 2],
    ]);
    expect(settings.world.shares.private).toBe(0.1);
    for (const [flags, message] of [
      [[], '--graph FILE is missing.'],
      [['--graph', 'g', '--window', 'x'], '--window must be one of sliding, fixed-clock, fixed-first-call.'],
      [['--graph', 'g', '--delay', '9-2'], '--delay must be milliseconds: 80 or 50-300.'],
      [['--graph', 'g', '--keys', 'many'], '--keys must be a number of at least 0.'],
      [['--graph', 'g', '--private', 'x'], '--private must be a share from 0 to 1.0, or ids.'],
      [['--graph', 'g', '--budget', 'x'], '--budget must be like friends.get=5000, not x.'],
    ] as const) {
      expect(() => readSettings([...flags], {})).toThrow(message);
    }
  });
});
