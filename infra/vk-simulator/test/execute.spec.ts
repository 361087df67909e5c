import { Bench, errorOf, ring } from './stand';

interface Executed {
  response: unknown;
  execute_errors?: { method: string; error_code: number; error_msg: string }[];
}

const batch = (method: string, parameters: string, times: number): string =>
  `return [${`API.${method}(${parameters}),`.repeat(times)}];`;

describe('execute', () => {
  const ran = async (bench: Bench, code: string, key = 0): Promise<Executed> => {
    await bench.page('/clock?advance=1000', 'POST');
    return (await bench.call('execute', { code }, key)).json as unknown as Executed;
  };

  it('runs 25 calls and not 26, a thousand operations and not one more', async () => {
    const bench = await Bench.start();
    const full = await ran(bench, batch('utils.getServerTime', '', 25));
    expect(full.response).toHaveLength(25);
    const atRunTime = 'Runtime error occurred during code invocation: ';
    expect(await bench.refusal('execute', { code: batch('utils.getServerTime', '', 26) })).toEqual([
      13,
      `${atRunTime}Too many API calls`,
    ]);
    // One for each of var, while, return; three for every round (comparison, assignment, sum) and one for the last comparison.
    const loop = (rounds: number): string => `var i = 0; while (i < ${rounds}) i = i + 1; return i;`;
    expect((await ran(bench, loop(332))).response).toBe(332);
    expect(await bench.refusal('execute', { code: loop(333) })).toEqual([
      13,
      `${atRunTime}Too many operations`,
    ]);
    await bench.close();
  });

  it('refuses an answer over 5 MB, which half of the pack keeps below', async () => {
    const bench = await Bench.start('--post-length', '3000', '--budget', 'none');
    const walls = (times: number): string => batch('wall.get', '{"owner_id":-20000001,"count":100}', times);
    expect(await bench.refusal('execute', { code: walls(25) })).toEqual([
      13,
      'Runtime error occurred during code invocation: response size is too big',
    ]);
    expect((await ran(bench, walls(12))).response).toHaveLength(12);
    await bench.close();
  });

  it('is interrupted when its calls take longer than the setting, after that time; a single call is not', async () => {
    const bench = await Bench.start('--call-time', 'wall.get=50', '--execute-timeout', '100');
    const walls = (times: number): string => batch('wall.get', '{"owner_id":1}', times);
    expect((await ran(bench, walls(2))).response).toHaveLength(2);
    await bench.page('/clock?advance=1000', 'POST');
    const stopped = await bench.call('execute', { code: walls(3) });
    expect(errorOf(stopped)).toEqual([36, 'Method execution was interrupted due to timeout']);
    expect(stopped.ms).toBeGreaterThanOrEqual(99);
    await bench.page('/clock?advance=1000', 'POST');
    const single = await bench.call('wall.get', { owner_id: 1 });
    expect(single.json).toHaveProperty('response');
    expect(single.ms).toBeGreaterThanOrEqual(49);
    expect((await ran(bench, batch('users.get', '', 25))).response).toHaveLength(25);
    await bench.close();
  });

  it('is open to the kinds of keys in the setting, and calls inside to those of each method', async () => {
    const bench = await Bench.start('--execute-kinds', 'user,community');
    expect(await bench.refusal('execute', { code: 'return 1;' }, 2)).toEqual([
      28,
      'Application authorization failed: method is unavailable with service token.',
    ]);
    const community = await ran(
      bench,
      'return [API.groups.get({"user_id":1}), API.users.get({"user_ids":1})@.id];',
      3,
    );
    expect(community).toEqual({
      response: [false, [1]],
      execute_errors: [27, 27].map((error_code, at) => ({
        method: at === 0 ? 'groups.get' : 'execute',
        error_code,
        error_msg: 'Group authorization failed: method is unavailable with group auth.',
      })),
    });
    await bench.close();
  });

  it('answers calls inside in the shape of their own version where they name one', async () => {
    const bench = await Bench.start();
    const { response } = await ran(
      bench,
      'var g = {"group_id":20000001}; var now = API.groups.getById(g); g.v = "5.131"; return [now.groups@.id, API.groups.getById(g)@.id];',
    );
    expect(response).toEqual([[20_000_001], [20_000_001]]);
    const old = await ran(bench, 'return API.users.get({"user_ids":1,"v":"5.80"});');
    expect(old.execute_errors?.[0]).toMatchObject({ method: 'users.get', error_code: 8 });
    await bench.close();
  });

  it('leaves the trailing entry out when told so, and has one for calls to unknown methods', async () => {
    const bench = await Bench.start('--trailing-entry', 'no');
    expect(await ran(bench, 'return API.nothing.here({});')).toEqual({
      response: false,
      execute_errors: [{ method: 'nothing.here', error_code: 3, error_msg: 'Unknown method passed' }],
    });
    await bench.close();
  });

  it('packs 25,000 members of a community into one request', async () => {
    const bench = await Bench.of(ring(60), '--crowd', '30000');
    const code = `var out = []; var i = 0; while (i < 25) { out = out + API.groups.getMembers({"group_id":20000001,"offset":i*1000}).items; i = i + 1; } return out;`;
    const { response } = (await ran(bench, code)) as { response: number[] };
    expect(new Set(response).size).toBe(25_000);
    await bench.close();
  });
});

describe('undisclosed budgets', () => {
  const code = batch('groups.get', '{"user_id":1}', 25);

  it('count inside execute; then come captchas, then 29, then no answer for that method alone', async () => {
    const bench = await Bench.start('--hidden-budget', 'groups.get=30', '--hidden-stages', '2-19');
    await bench.response('execute', { code });
    await bench.page('/clock?advance=1000', 'POST');
    const second = (await bench.call('execute', { code })).json as unknown as Executed;
    expect((second.response as unknown[]).filter((one) => one === false)).toHaveLength(20);
    expect(second.execute_errors?.map(({ error_code }) => error_code)).toEqual([
      14,
      14,
      ...Array.from({ length: 19 }, () => 29),
    ]);
    expect(second.execute_errors?.[0]).toEqual({
      method: 'groups.get',
      error_code: 14,
      error_msg: 'Captcha needed',
    });
    expect(await bench.refusal('groups.get', { user_id: 1 })).toEqual([29, 'Rate limit reached']);
    await bench.page('/clock?advance=1000', 'POST');
    for (const silent of [bench.call('groups.get', { user_id: 1 }), bench.call('execute', { code })]) {
      const first = await Promise.race([
        silent.then(
          () => 'answered',
          () => 'broken',
        ),
        bench.response('friends.get', { user_id: 1 }),
      ]);
      expect(first).toEqual({ count: 2, items: [2, 3] });
    }
    expect(await bench.response('groups.get', { user_id: 1 }, 1)).toHaveProperty('count');
    const { totals } = (await bench.page('/stats')) as { totals: Record<string, number> };
    expect(totals['overBudget']).toBe(3);
    await bench.page('/clock?advance=86400000', 'POST');
    expect(await bench.response('groups.get', { user_id: 1 })).toHaveProperty('count');
    await bench.close();
  });

  it('let a request through whose captcha was passed, once', async () => {
    const bench = await Bench.start(
      '--hidden-budget',
      'groups.get=1',
      '--hidden-stages',
      '1-5',
      '--captcha',
      'new',
    );
    const ask = (more: Record<string, string> = {}) => bench.call('groups.get', { user_id: 1, ...more });
    expect((await ask()).json).toHaveProperty('response');
    expect((await ask()).json['error']).toMatchObject({ error_code: 14 });
    const { pending } = (await bench.page('/captchas')) as { pending: Record<string, string>[] };
    expect(pending).toHaveLength(1);
    await bench.page('/clock?advance=1000', 'POST');
    const { success_token = '' } = pending[0] ?? {};
    expect((await ask({ success_token })).json).toHaveProperty('response');
    expect((await ask()).json['error']).toMatchObject({ error_code: 14 });
    await bench.page('/clock?advance=1000', 'POST');
    expect((await ask({ success_token })).json['error']).toMatchObject({ error_code: 14 });
    await bench.close();
  });

  it('are 5,500 of groups.get and the documented 5,000 of wall.get unless told otherwise', async () => {
    const bench = await Bench.start('--posts', '0');
    const spend = async (method: string, parameters: string, calls: number): Promise<number[]> => {
      const codes: number[] = [];
      for (let done = 0; done < calls; done += 25) {
        if (done % 75 === 0) await bench.page('/clock?advance=1000', 'POST');
        const code = batch(method, parameters, Math.min(25, calls - done));
        const { execute_errors } = (await bench.call('execute', { code })).json as unknown as Executed;
        for (const { error_code } of execute_errors?.slice(0, -1) ?? []) codes.push(error_code);
      }
      return codes;
    };
    expect(await spend('groups.get', '{"user_id":1,"count":0}', 5500)).toEqual([]);
    expect(await spend('wall.get', '{"owner_id":1,"count":0}', 5000)).toEqual([]);
    expect(await spend('wall.get', '{"owner_id":1,"count":0}', 1)).toEqual([29]);
    expect(await spend('groups.get', '{"user_id":1,"count":0}', 23)).toEqual([
      14,
      14,
      14,
      ...Array.from({ length: 20 }, () => 29),
    ]);
    await bench.close();
  });
});
