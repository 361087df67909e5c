import { issued, RenewedTokens } from './tokens';

describe('a token', () => {
  it.each([
    [300, 240_000],
    [180, 120_000],
    [90, 60_000],
    [30, 20_000],
  ])('that lives %i s is renewed after %i ms', (lifetime, afterMs) => {
    expect(issued({ access_token: 'a', expires_in: lifetime }, 1000)).toEqual({
      accessToken: 'a',
      renewAt: 1000 + afterMs,
    });
  });

  it('is renewed when its time has come, not before', async () => {
    let now = 99;
    let renewals = 0;
    const tokens = new RenewedTokens(
      () => Promise.resolve({ accessToken: `t${++renewals}`, renewAt: now + 100 }),
      { accessToken: 'stored', renewAt: 100 },
      () => now,
    );
    expect(await tokens.token()).toBe('stored');
    now = 100;
    expect(await tokens.token()).toBe('t1');
    expect(await tokens.token()).toBe('t1');
  });

  it('is renewed once however many ask', async () => {
    let renewals = 0;
    let arrive = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const tokens = new RenewedTokens(async () => {
      renewals += 1;
      await arrived;
      return { accessToken: 't', renewAt: Infinity };
    });
    const many = Array.from({ length: 20 }, () => tokens.token());
    arrive();
    expect(new Set(await Promise.all(many))).toEqual(new Set(['t']));
    expect(renewals).toBe(1);
  });

  it('that was refused is not given again; one that is gone already changes nothing', async () => {
    const refusals: (string | undefined)[] = [];
    const tokens = new RenewedTokens((refused) => {
      refusals.push(refused);
      return Promise.resolve({ accessToken: `t${refusals.length}`, renewAt: Infinity });
    });
    expect(await tokens.token()).toBe('t1');
    tokens.discard('t1');
    expect(await tokens.token()).toBe('t2');
    tokens.discard('t1');
    expect(await tokens.token()).toBe('t2');
    expect(refusals).toEqual([undefined, 't1']);
  });

  it('can be had after a renewal that failed', async () => {
    let fails = true;
    const tokens = new RenewedTokens(() =>
      fails ? Promise.reject(new Error('away')) : Promise.resolve({ accessToken: 't', renewAt: Infinity }),
    );
    await expect(tokens.token()).rejects.toThrow('away');
    fails = false;
    expect(await tokens.token()).toBe('t');
  });
});
