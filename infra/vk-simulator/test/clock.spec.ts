import { Bench } from './stand';

const DAY = 86_400_000;

describe('the clock', () => {
  it('goes forward by what it is told, in the Date header and the server time too, and never back', async () => {
    const bench = await Bench.start();
    const before = Number(await bench.response('utils.getServerTime', {}));
    const { clock } = await bench.page(`/clock?advance=${DAY}`, 'POST');
    const reply = await bench.call('utils.getServerTime', {});
    expect(Number(reply.json['response']) - before).toBeGreaterThanOrEqual(86_400);
    expect(Number(reply.json['response']) - before).toBeLessThan(86_410);
    expect(Math.abs(Date.parse(String(reply.headers.date)) - Number(clock))).toBeLessThan(2000);
    const back = { error: 'The clock goes forward only: advance takes milliseconds.' };
    for (const query of ['advance=-1', 'advance=soon', '']) {
      expect(await bench.page(`/clock?${query}`, 'POST')).toEqual(back);
    }
    await bench.close();
  });

  it('gives a day back at once', async () => {
    const bench = await Bench.start('--budget', 'friends.get=2');
    for (let n = 0; n < 2; n += 1) await bench.response('friends.get', { user_id: 1 });
    expect((await bench.refusal('friends.get', { user_id: 1 }))[0]).toBe(29);
    await bench.page(`/clock?advance=${DAY - 10_000}`, 'POST');
    expect((await bench.refusal('friends.get', { user_id: 1 }))[0]).toBe(29);
    await bench.page('/clock?advance=10000', 'POST');
    expect(await bench.response('friends.get', { user_id: 1 })).toHaveProperty('count');
    await bench.close();
  });

  it('ends tokens of users after their lifetime, until they are refreshed', async () => {
    const bench = await Bench.start('--token-lifetime', '3600', '--seed', '3');
    expect(await bench.response('friends.get', { user_id: 1 })).toHaveProperty('count');
    await bench.page('/clock?advance=3600000', 'POST');
    const expired = [5, 'User authorization failed: access_token has expired.'];
    expect(await bench.refusal('friends.get', { user_id: 1 })).toEqual(expired);
    expect(await bench.response('friends.get', { user_id: 1 }, 2)).toHaveProperty('count');
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: '1',
      refresh_token: bench.refreshToken(0),
    });
    const renewed = await bench.send('/oauth2/auth', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    expect(renewed.json).toMatchObject({ expires_in: 3600 });
    const token = String(renewed.json['access_token']);
    const headers = { authorization: `Bearer ${token}` };
    expect((await bench.send('/method/friends.get?user_id=1&v=5.199', { headers })).json).toHaveProperty(
      'response',
    );
    await bench.close();
  });

  it('lets answers go that became due by it', async () => {
    const bench = await Bench.start('--delay', '600000');
    const waiting = bench.call('utils.getServerTime', {});
    const served = async (): Promise<number> =>
      ((await bench.page('/stats'))['totals'] as { served: number }).served;
    while ((await served()) < 1);
    await bench.page('/clock?advance=600000', 'POST');
    const { ms } = await waiting;
    expect(ms).toBeLessThan(60_000);
    await bench.close();
  });
});
