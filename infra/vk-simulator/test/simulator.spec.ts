import { Bench, errorOf } from './stand';
import type { Reply } from './stand';
import type { SimulatedKey } from '../src/keys';

describe('the simulator', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start(
      '--private',
      '2',
      '--deleted',
      '4',
      '--hidden',
      '10',
      '--budget',
      'friends.get=40',
    );
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
      {
        id: 4,
        first_name: 'DELETED',
        last_name: '',
        deactivated: 'deleted',
        track_code: expect.stringMatching(/^[\w-]{27}$/) as string,
      },
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
