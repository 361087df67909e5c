import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench, errorOf } from './stand';
import type { Reply } from './stand';

describe('scripted faults', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.reset());

  const plant = (query: string) => bench.page(`/faults?${query}`, 'POST');
  const fresh = (): Promise<unknown> => bench.page('/clock?advance=1000', 'POST');
  const ask = async (key = 0, method = 'friends.get'): Promise<Reply> => {
    await fresh();
    return bench.call(method, { user_id: 1, user_ids: 1 }, key);
  };
  const bearer = () => ({ authorization: `Bearer ${bench.keys[0]?.token}` });
  const codes = async (times: number): Promise<number[]> => {
    const found: number[] = [];
    for (let n = 0; n < times; n += 1) {
      const { json } = await ask();
      found.push('error' in json ? (json['error'] as { error_code: number }).error_code : 0);
    }
    return found;
  };

  it.each([
    ['nth=3', [0, 0, 10, 0, 0, 0]],
    ['every=2', [0, 10, 0, 10, 0, 10]],
    ['every=2&times=2', [0, 10, 0, 10, 0, 0]],
    ['times=1', [10, 0, 0, 0, 0, 0]],
    ['for=3.5', [10, 10, 10, 0, 0, 0]],
    ['share=1', [10, 10, 10, 10, 10, 10]],
    ['method=users.get', [0, 0, 0, 0, 0, 0]],
    ['key=user-2&times=9', [0, 0, 0, 0, 0, 0]],
    ['key=user-1&method=friends.get&nth=2', [0, 10, 0, 0, 0, 0]],
  ])('%s: of six requests these fail: %j', async (query, expected) => {
    await plant(`answer=10&${query}`);
    expect(await codes(6)).toEqual(expected);
  });

  it('fall on a share of the requests that the seed draws, near to what was asked for', async () => {
    await plant('answer=6&share=0.3&key=*');
    const found = (await codes(200)).filter((code) => code === 6).length;
    expect(found).toBeGreaterThan(40);
    expect(found).toBeLessThan(80);
    const { scripted } = (await bench.page('/faults')) as { scripted: object[] };
    expect(scripted).toEqual([expect.objectContaining({ share: 0.3, answer: '6', seen: 200, hit: found })]);
    await bench.reset();
    expect(await bench.page('/faults')).toEqual({ planted: {}, scripted: [] });
  });

  it('fail calls inside execute by their method, each by itself', async () => {
    const { id } = await plant('answer=1&method=friends.get&every=2');
    await fresh();
    const code =
      'return [API.friends.get({"user_id":1}), API.friends.get({"user_id":1}), API.users.get({"user_ids":1})@.id];';
    const { json } = await bench.call('execute', { code });
    expect(json['response']).toEqual([{ count: 2, items: [2, 3] }, false, [1]]);
    expect((json['execute_errors'] as object[])[0]).toEqual({
      method: 'friends.get',
      error_code: 1,
      error_msg: 'Unknown error occurred',
    });
    expect((await bench.page(`/faults?id=${String(id)}`, 'DELETE'))['scripted']).toEqual([]);
    await plant('answer=503&method=friends.get');
    await fresh();
    expect((await bench.call('execute', { code })).json).not.toHaveProperty('execute_errors');
    expect((await ask()).status).toBe(503);
  });

  it('break the transport in each way', async () => {
    await plant('answer=502&times=1');
    const page = await ask();
    expect([page.status, page.headers['content-type'], page.body.toString()]).toEqual([
      502,
      'text/html',
      expect.stringContaining('<title>502 Bad Gateway</title>'),
    ]);
    await plant('answer=truncated&times=1');
    await fresh();
    const half = await bench.send('/method/friends.get?user_id=1&v=5.199', { headers: bearer() });
    expect([half.status, half.body.toString()]).toEqual([200, '{"response":{"count']);
    for (const answer of ['reset', 'cut']) {
      await plant(`answer=${answer}&times=1`);
      await expect(ask()).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    }
    await plant('answer=hang&times=1');
    await fresh();
    const hanging = bench.call('friends.get', { user_id: 1 }).then(
      () => 'answered',
      () => 'broken',
    );
    expect(await Promise.race([hanging, ask().then(({ json }) => json)])).toHaveProperty('response');
  });

  it('answer late what was served and counted in time', async () => {
    await plant('answer=late:300&times=1');
    const late = await ask();
    expect(late.json).toEqual({ response: { count: 2, items: [2, 3] } });
    expect(late.ms).toBeGreaterThanOrEqual(299);
    await plant('answer=late&times=1');
    await fresh();
    const tooLate = bench.call('friends.get', { user_id: 1 });
    const counted = async (): Promise<number> =>
      ((await bench.page('/stats'))['totals'] as { served: number }).served;
    while ((await counted()) < 2);
    await bench.page('/clock?advance=61000', 'POST');
    expect((await tooLate).json).toHaveProperty('response');
  });

  it('change the answer as if the API had changed', async () => {
    await plant('answer=without:response.count&times=1');
    expect((await ask()).json).toEqual({ response: { items: [2, 3] } });
    await plant('answer=retyped:response.items&times=1');
    expect((await ask()).json).toEqual({ response: { count: 2, items: { list: [2, 3] } } });
    await plant('answer=retyped:response.*.items.*&method=execute&times=1');
    await fresh();
    const { json } = await bench.call('execute', { code: 'return [API.friends.get({"user_id":1}), false];' });
    expect(json).toEqual({ response: [{ count: 2, items: ['n2', 'n3'] }, false] });
  });

  it.each([
    ['5:expired', 'User authorization failed: access_token has expired.'],
    ['5:ip', 'User authorization failed: access_token was given to another ip address.'],
    ['5:session', 'User authorization failed: invalid session.'],
    ['9:captcha', 'Flood control: too much captcha requests'],
    ['15:wall', 'Access denied: user hid his wall from accessing from outside'],
    ['43', 'This section is temporary unavailable'],
    ['3609', 'Token extension required'],
    ['3610', 'User is deactivated: invalid access_token (8).'],
  ])('have the words of %s', async (answer, message) => {
    await plant(`key=user-1&answer=${answer}`);
    expect(errorOf(await ask())).toEqual([Number.parseInt(answer, 10), message]);
    expect((await ask(1)).json).toHaveProperty('response');
  });

  it('have what goes with a code: the page of 17, the subcode of 15', async () => {
    await plant('key=user-1&answer=17');
    expect((await ask()).json['error']).toHaveProperty('redirect_uri');
    await plant('key=user-1&answer=15');
    expect((await ask()).json['error']).toHaveProperty('error_subcode', 1133);
    await plant('key=user-1&answer=8');
    const { request_params } = (await ask()).json['error'] as { request_params: { key: string }[] };
    expect(request_params[0]?.key).toBe('method');
  });

  it.each([
    ['key=nobody&answer=5', 'key must be the name of a key.'],
    ['answer=5', 'key must be the name of a key.'],
    ['key=user-1&answer=slow:soon', 'slow takes milliseconds: slow:2000.'],
    ['key=user-1&answer=without', 'without takes a path: without:response.items.'],
    ['key=user-1&answer=14:paper', '14 takes new, old or both.'],
    ['nth=0&answer=1', 'nth must be a number above 0.'],
    ['nth=1.5&answer=1', 'nth must be a number above 0.'],
    ['share=1.1&answer=1', 'share must be a part, above 0 to 1.'],
    ['nth=1&answer=none', 'answer must be a fault.'],
    [
      'nth=1&answer=1&colour=red',
      'colour means nothing here; known are key, method, answer, nth, every, share, times, for.',
    ],
  ])('%s cannot be planted', async (query, error) => {
    expect(await plant(query)).toEqual({ error });
  });

  it('that cannot be taken away are named, and those of a file are there from the start', async () => {
    expect(await bench.page('/faults?id=9', 'DELETE')).toEqual({ error: 'There is no fault 9.' });
    const file = join(tmpdir(), `faults-${process.pid}.json`);
    writeFileSync(file, JSON.stringify([{ method: 'friends.get', nth: 2, answer: '29' }]));
    const other = await Bench.start('--faults-file', file);
    expect(await other.response('friends.get', { user_id: 1 })).toHaveProperty('count');
    expect(await other.refusal('friends.get', { user_id: 1 })).toEqual([29, 'Rate limit reached']);
    await other.close();
    writeFileSync(file, '{"nth":2}');
    await expect(Bench.start('--faults-file', file)).rejects.toThrow('holds no list');
    rmSync(file);
  });
});
