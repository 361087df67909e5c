import { Redis } from 'ioredis';
import type { KeyEvent } from '../src/domain/key-events';
import { aKey } from './builders';
import { aLoneKey, broken, error, of, ok, PoolDriver, status } from './pool-driver';
import { redisUrl } from './pool-simulation';

// A machine that is busy with others takes seconds for hundreds of round trips.
jest.setTimeout(60_000);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Keys that were seen to be out are looked at again once a second. */
const LOOK_AGAIN = 1001;
const USERS = { methods: { 'users.get': 1 } };

/** What happened, without whom it happened to and until when. */
const short = (events: KeyEvent[]): unknown[] =>
  events
    .filter(({ kind }) => kind !== 'foreign-use')
    .map(({ kind, code, forMs }) => (forMs > 0 ? [kind, code, forMs] : [kind, code]));

describe('what an answer does to its key, in the script of the pool', () => {
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(redisUrl());
  });
  afterAll(async () => {
    await redis.quit();
  });

  const start = (keys = [aKey('k1')], chance?: () => number): Promise<PoolDriver> =>
    PoolDriver.start(redis, keys, chance);

  describe('a limit was reached', () => {
    it.each([
      ['error 6', error(6), [1, 2, 4, 8, 10, 10], 6],
      ['429', status(429), [1, 2, 4, 8, 16, 32, 60, 60], 429],
      ['error 9', error(9), [300, 600, 1200, 2400, 3600, 3600], 9],
    ])('%s: the key rests, longer each time, and anew after a success', async (_, facts, seconds, code) => {
      const pool = await start();
      for (const length of seconds) {
        expect(short(await pool.call(facts))).toEqual([['resting', code, length * SECOND]]);
        const next = await pool.tryGrant();
        const earliest = Array.isArray(next) ? next[1] : (next.slots[0] as number) - pool.now;
        expect(earliest).toBeCloseTo(length * SECOND, 2);
        pool.advance(length * SECOND);
      }
      expect(await pool.call(ok)).toEqual([]);
      expect(short(await pool.call(facts))).toEqual([['resting', code, (seconds[0] as number) * SECOND]]);
    });

    it('error 14: the key cools down, and its owner is told', async () => {
      const pool = await start();
      for (const minutes of [10, 20, 40, 80, 160, 320, 360, 360]) {
        const events = await pool.call(error(14));
        expect(short(events)).toEqual([
          ['resting', 14, minutes * MINUTE],
          ['needs-owner', 14],
        ]);
        expect(events[1]?.reason).toBe('captcha-needed');
        pool.advance(minutes * MINUTE);
      }
    });

    it('says until when, on the clock of the pool', async () => {
      const pool = await start();
      const [event] = await pool.call(error(9));
      expect(event).toMatchObject({ keyId: 'k1', untilAt: pool.now + 5 * MINUTE });
      expect(await pool.verdict()).toEqual(['no-slot', 5 * MINUTE]);
      pool.advance(5 * MINUTE);
      expect(await pool.verdict()).toBe('granted');
    });

    it('takes what Retry-After says for the least', async () => {
      const pool = await start();
      expect(short(await pool.call(status(429, 7000)))).toEqual([['resting', 429, 7000]]);
      pool.advance(7000);
      expect(short(await pool.call(status(429, 500)))).toEqual([['resting', 429, 2000]]);
    });

    it('shortens pauses by chance, by a tenth at most, but never what Retry-After says', async () => {
      const pool = await start([aKey('k1')], () => 0.999);
      const [event] = await pool.call(error(6));
      expect(event?.forMs).toBe(900);
      pool.advance(SECOND);
      expect(short(await pool.call(status(429, 7000)))).toEqual([['resting', 429, 7000]]);
    });

    it('counts refusals of calls that were under way together once, and each code by itself', async () => {
      const pool = await start();
      const first = await pool.grant();
      const second = await pool.grant();
      pool.advance(900);
      expect(await pool.report(first, error(6))).not.toEqual([]);
      expect(short(await pool.report(second, error(6)))).toEqual([]);
      pool.advance(SECOND);
      expect(short(await pool.call(error(9)))).toEqual([['resting', 9, 5 * MINUTE]]);
    });
  });

  it('goes on with the other keys while one rests', async () => {
    const pool = await start([aKey('k1'), aKey('k2')]);
    const lease = await pool.grant();
    pool.advance(500);
    await pool.report(lease, error(14));
    for (let i = 0; i < 4; i += 1) {
      expect((await pool.grant()).keyId).toBe(lease.keyId === 'k1' ? 'k2' : 'k1');
      pool.advance(500);
    }
  });

  describe('a method is limited (29)', () => {
    it('rests for an hour, then tries ONE call, doubles to a day, and is over with a success', async () => {
      const pool = await start();
      for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
        const events = await pool.call(error(29));
        expect(short(events)).toEqual([['method-resting', 29, hours * HOUR]]);
        expect(events[0]).toMatchObject({ method: 'friends.get', untilAt: pool.now + hours * HOUR });
        expect(await pool.verdict()).toEqual(['no-slot', hours * HOUR]);
        expect(await pool.verdict(USERS)).toBe('granted');
        pool.advance(hours * HOUR - 1);
        expect(await pool.verdict()).not.toBe('granted');
        pool.advance(1.01);
      }
      const trial = await pool.grant();
      expect(await pool.verdict()).toEqual(['no-slot', trial.expiresAt - pool.now]);
      pool.advanceTo((trial.slots[0] as number) + 90);
      expect(await pool.report(trial, ok)).toMatchObject([
        { kind: 'method-returned', method: 'friends.get' },
      ]);
      pool.advance(LOOK_AGAIN);
      expect(await pool.verdict()).toBe('granted');
      expect(short(await pool.call(error(29)))).toEqual([['method-resting', 29, HOUR]]);
    });

    it('inside a packed call only the method that said so', async () => {
      const pool = await start();
      const methods = { 'friends.get': 20, 'users.get': 5 };
      const packed = { ...ok, methodErrors: [{ method: 'users.get', code: 29 }] };
      expect(await pool.call(packed, { methods })).toMatchObject([
        { kind: 'method-resting', method: 'users.get' },
      ]);
      expect(await pool.verdict({ methods: { 'friends.get': 20 } })).toBe('granted');
      expect(await pool.verdict({ methods })).toEqual(['no-slot', HOUR]);
    });

    it('keeps a trial open when the packed call succeeded but not this method', async () => {
      const pool = await start();
      const packed = { ...ok, methodErrors: [{ method: 'friends.get', code: 29 }] };
      await pool.call(packed);
      pool.advance(HOUR);
      expect(short(await pool.call(packed))).toEqual([['method-resting', 29, 2 * HOUR]]);
    });

    it('says nothing new by calls that were under way when it began', async () => {
      const pool = await start();
      const [first, second, third] = [await pool.grant(), await pool.grant(), await pool.grant()];
      pool.advance(900);
      await pool.report(first, error(29));
      expect(await pool.report(second, error(29))).toEqual([]);
      expect(await pool.report(third, ok)).toEqual([]);
      expect(await pool.verdict()).toEqual(['no-slot', HOUR]);
    });

    it.each([
      ['was not sent', (pool: PoolDriver, lease: never) => pool.unsent(lease)],
      ['had no answer', (pool: PoolDriver, lease: never) => pool.report(lease, broken)],
      ['met the per-second limit', (pool: PoolDriver, lease: never) => pool.report(lease, error(10))],
    ])('makes way when its trial %s', async (_, end) => {
      const pool = await start();
      await pool.call(error(29));
      pool.advance(HOUR);
      const trial = await pool.grant();
      expect(await pool.verdict()).not.toBe('granted');
      await end(pool, trial as never);
      pool.advance(LOOK_AGAIN);
      expect(await pool.verdict()).toBe('granted');
    });

    it('makes way when nobody reports of its trial: at the end of that lease', async () => {
      const pool = await start();
      await pool.call(error(29));
      pool.advance(HOUR);
      const trial = await pool.grant();
      pool.advanceTo(trial.expiresAt - 1);
      expect(await pool.verdict()).toMatchObject(['no-slot', expect.closeTo(1, 2)]);
      pool.advance(1.01);
      const next = await pool.grant();
      expect(await pool.verdict()).not.toBe('granted');
      pool.advance(500);
      // The first one comes back after all.
      expect(await pool.report(trial, ok)).toMatchObject([{ kind: 'method-returned' }]);
      expect(await pool.report(next, ok)).toEqual([]);
    });

    it('tries one call only, however many are asked for', async () => {
      const pool = await start();
      await pool.call(error(29));
      pool.advance(HOUR);
      expect((await pool.grant({ calls: 3 })).slots).toHaveLength(1);
    });
  });

  describe('the key may not do this', () => {
    it.each([
      ['7', error(7)],
      ['15', error(15, 'Access denied: no access to call this method')],
      ['27', error(27)],
      ['28', error(28)],
    ])('error %s: the method is barred for a day, then tries one call', async (code, facts) => {
      const pool = await start();
      for (let day = 1; day <= 3; day += 1) {
        expect(short(await pool.call(facts))).toEqual([['method-barred', Number(code), 24 * HOUR]]);
        expect(await pool.verdict()).toMatchObject(['no-key', expect.any(Number)]);
        expect(await pool.verdict(USERS)).toBe('granted');
        pool.advance(24 * HOUR);
      }
      expect(await pool.call(ok)).toMatchObject([{ kind: 'method-returned' }]);
      expect(await pool.verdict()).toBe('granted');
    });

    it.each([
      [42, error(42)],
      [5, error(5, 'User authorization failed: access_token was given to another ip address.')],
    ])('error %i: barred from that address for six hours, then tries one call', async (code, facts) => {
      const pool = await start();
      const home = { ...USERS, egress: 'home' };
      for (const hours of [6, 12, 24, 24]) {
        const events = await pool.call(facts, home);
        expect(short(events)).toEqual([['egress-barred', code, hours * HOUR]]);
        expect(events[0]).toMatchObject({ egress: 'home' });
        expect(await pool.verdict(home)).toMatchObject(['no-key', expect.any(Number)]);
        expect(await pool.verdict(USERS)).toBe('granted');
        pool.advance(hours * HOUR);
      }
      const trial = await pool.grant(home);
      expect(await pool.verdict(home)).not.toBe('granted');
      expect(await pool.report(trial, error(100))).toMatchObject([
        { kind: 'egress-returned', egress: 'home' },
      ]);
      pool.advance(LOOK_AGAIN);
      expect(await pool.verdict(home)).toBe('granted');
    });

    it('forgets bars with another token, but not the limits of methods', async () => {
      const pool = await start();
      await pool.call(error(28));
      await pool.call(error(29), USERS);
      await pool.call(error(42), { methods: { 'groups.get': 1 }, egress: 'home' });
      await pool.ledger.define([aKey('k1', { version: 2, tokenVersion: 2 })]);
      expect(await pool.verdict({ egress: 'home' })).toBe('granted');
      expect(await pool.verdict(USERS)).toMatchObject(['no-slot', expect.any(Number)]);
    });
  });

  describe('the token is refused', () => {
    const refusals = [
      ['5', error(5), 'token-refused'],
      ['401', status(401), 'token-refused'],
      ['1117', error(1117), 'token-expired'],
      ['3609', error(3609), 'token-expired'],
    ] as const;

    it.each(refusals)(
      '%s: without a refresh token the key is invalid at once',
      async (code, facts, reason) => {
        const pool = await start();
        expect(await pool.call(facts)).toEqual([
          { keyId: 'k1', kind: 'invalid', code: Number(code), forMs: 0, reason },
        ]);
        expect(await pool.verdict()).toMatchObject(['no-key', expect.any(Number)]);
        expect(await pool.ledger.define([aKey('k1')])).toEqual([{ keyId: 'k1', state: 'invalid' }]);
        // The row was changed otherwise before it knew.
        expect(await pool.ledger.define([aKey('k1', { version: 2 })])).toEqual([
          { keyId: 'k1', state: 'invalid' },
        ]);
        expect(await pool.ledger.define([aKey('k1', { version: 3, state: 'invalid' })])).toEqual([]);
        expect(await pool.ledger.define([aKey('k1', { version: 4, tokenVersion: 2 })])).toEqual([]);
        expect(await pool.verdict()).toBe('granted');
      },
    );

    it.each(refusals)(
      '%s: with one the key rests until it has another token',
      async (code, facts, reason) => {
        const pool = await start([aKey('k1', { refreshable: true })]);
        const [first, second] = [await pool.grant(), await pool.grant()];
        pool.advance(900);
        expect(await pool.report(first, facts)).toEqual([
          { keyId: 'k1', kind: 'refresh-needed', code: Number(code), forMs: 0, reason, tokenVersion: 1 },
        ]);
        expect(await pool.report(second, facts)).toEqual([]);
        expect(await pool.verdict()).toMatchObject(['no-key', expect.any(Number)]);
        const relabelled = aKey('k1', { version: 2, refreshable: true });
        expect(await pool.ledger.define([relabelled])).toEqual([{ keyId: 'k1', state: 'refreshing' }]);
        expect(await pool.verdict()).toMatchObject(['no-key', expect.any(Number)]);
        const renewed = aKey('k1', { version: 3, tokenVersion: 2, refreshable: true });
        expect(await pool.ledger.define([renewed])).toEqual([]);
        expect(await pool.verdict()).toBe('granted');
      },
    );

    it('gives a key up whose new token is refused at once, and not one that worked in between', async () => {
      const pool = await start([aKey('k1', { refreshable: true })]);
      const renew = (version: number) =>
        pool.ledger.define([aKey('k1', { version, tokenVersion: version, refreshable: true })]);
      await pool.call(error(5));
      await renew(2);
      expect(await pool.call(ok)).toEqual([]);
      expect(short(await pool.call(error(5)))).toEqual([['refresh-needed', 5]]);
      await renew(3);
      expect(short(await pool.call(error(5)))).toEqual([['invalid', 5]]);
    });

    it('refreshes again a token that was not used until it ran out', async () => {
      const pool = await start([aKey('k1', { refreshable: true })]);
      await pool.call(error(5));
      await pool.ledger.define([aKey('k1', { version: 2, tokenVersion: 2, refreshable: true })]);
      pool.advance(HOUR);
      expect(short(await pool.call(error(1117)))).toEqual([['refresh-needed', 1117]]);
    });

    it.each([17, 3610])(
      'error %i: the key is invalid and needs its owner, refresh token or not',
      async (code) => {
        const pool = await start([aKey('k1', { refreshable: true })]);
        expect(await pool.call(error(code))).toMatchObject([
          { kind: 'invalid', code, reason: 'needs-owner' },
        ]);
        expect(await pool.verdict()).toMatchObject(['no-key', expect.any(Number)]);
      },
    );

    it('believes a report once, and only of the token that made the call', async () => {
      const pool = await start();
      const [late, old] = [await pool.grant(), await pool.grant()];
      pool.advance(40_000);
      expect(short(await pool.report(late, error(9)))).toEqual([['resting', 9, 5 * MINUTE]]);
      expect(await pool.report(late, error(9))).toEqual([]);
      await pool.ledger.define([aKey('k1', { version: 2, tokenVersion: 2 })]);
      expect(await pool.report(old, error(5))).toEqual([]);
      expect(await pool.verdict()).toBe('granted');
    });
  });

  it.each([1, 10, 13, 36, 43, 0, 3, 8, 18, 30, 100, 113, 4242])('error %i is not its fault', async (code) => {
    const pool = await start();
    for (let i = 0; i < 12; i += 1) expect(await pool.call(error(code))).toEqual([]);
    expect(await pool.verdict()).toBe('granted');
  });

  describe('the circuit of a key', () => {
    const fail = status(502);

    it.each([
      ['a broken call', broken],
      ['a server error', fail],
    ])('opens with the fifth %s in a row', async (_, facts) => {
      const pool = await start();
      for (let i = 0; i < 4; i += 1) expect(await pool.call(facts)).toEqual([]);
      expect(await pool.call(error(10))).toEqual([]);
      for (let i = 0; i < 4; i += 1) expect(await pool.call(i % 2 ? fail : broken)).toEqual([]);
      expect(short(await pool.call(facts))).toEqual([['circuit-open', facts.status ?? 0, 5 * SECOND]]);
      expect(await pool.verdict()).toEqual(['no-slot', 5 * SECOND]);
    });

    it('opens when half of at least ten calls of the last thirty seconds failed', async () => {
      const pool = await start();
      for (let i = 0; i < 9; i += 1) expect(await pool.call(i % 2 ? ok : fail)).toEqual([]);
      pool.advance(36 * SECOND);
      for (let i = 0; i < 9; i += 1) expect(await pool.call(i % 2 ? ok : fail)).toEqual([]);
      expect(short(await pool.call(fail))).toEqual([['circuit-open', 502, 5 * SECOND]]);
    });

    it('stays closed while less than half fail', async () => {
      const pool = await start();
      for (let i = 0; i < 60; i += 1)
        expect(await pool.call(i % 5 === 2 || i % 5 === 4 ? fail : ok)).toEqual([]);
    });

    it('lets ONE call probe; a failure doubles the time to five minutes, an answer closes it', async () => {
      const pool = await start();
      for (let i = 0; i < 4; i += 1) await pool.call(broken);
      for (const seconds of [5, 10, 20, 40, 80, 160, 300, 300]) {
        expect(short(await pool.call(fail))).toEqual([['circuit-open', 502, seconds * SECOND]]);
        pool.advance(seconds * SECOND - 1);
        expect(await pool.verdict()).not.toBe('granted');
        pool.advance(1.01);
      }
      const probe = await pool.grant({ calls: 2 });
      expect(probe.slots).toHaveLength(1);
      expect(await pool.verdict()).toEqual(['no-slot', probe.expiresAt - pool.now]);
      pool.advance(200);
      expect(short(await pool.report(probe, error(6)))).toEqual([
        ['circuit-closed', 0],
        ['resting', 6, SECOND],
      ]);
      pool.advance(SECOND);
      for (let i = 0; i < 4; i += 1) expect(await pool.call(broken)).toEqual([]);
      expect(short(await pool.call(broken))).toEqual([['circuit-open', 0, 5 * SECOND]]);
    });

    it('hears nothing new from calls that were under way when it opened', async () => {
      const pool = await start([aKey('k1', { perSecond: 20, kind: 'community' })]);
      const kinds = { kinds: ['community'], ...USERS };
      const leases = [];
      for (let i = 0; i < 8; i += 1) leases.push(await pool.grant(kinds));
      pool.advance(900);
      for (let i = 0; i < 4; i += 1) await pool.report(leases[i]!, broken);
      expect(short(await pool.report(leases[4]!, broken))).toEqual([['circuit-open', 0, 5 * SECOND]]);
      expect(await pool.report(leases[5]!, broken)).toEqual([]);
      expect(await pool.report(leases[6]!, ok)).toEqual([]);
      expect(await pool.verdict(kinds)).toEqual(['no-slot', 5 * SECOND]);
    });

    it('frees a probe that was not sent, and one that nobody reports of at the end of its lease', async () => {
      const pool = await start();
      for (let i = 0; i < 5; i += 1) await pool.call(broken);
      pool.advance(5 * SECOND);
      await pool.unsent(await pool.grant());
      const lost = await pool.grant();
      expect(await pool.verdict()).not.toBe('granted');
      pool.advanceTo(lost.expiresAt + LOOK_AGAIN);
      expect(await pool.verdict()).toBe('granted');
    });

    it('opens for a time that chance shortens by a tenth at most', async () => {
      const pool = await start([aKey('k1')], () => 0.5);
      for (let i = 0; i < 4; i += 1) await pool.call(broken);
      expect(short(await pool.call(broken))).toEqual([['circuit-open', 0, 4750]]);
    });
  });

  describe('the circuit of a network', () => {
    const ids = ['k1', 'k2', 'k3', 'k4', 'k5'];
    const five = () => start(ids.map((id) => aLoneKey(id)));

    it('opens when the last calls of more than half of the keys failed, and leaves the keys alone', async () => {
      const pool = await five();
      for (let i = 0; i < 4; i += 1) expect(await pool.call(broken, of('k1'))).toEqual([]);
      expect(await pool.call(status(503), of('k2'))).toEqual([]);
      const events = await pool.call(broken, of('k3'));
      expect(short(events)).toEqual([['network-circuit-open', 0, SECOND]]);
      expect(events[0]).toMatchObject({ network: 'vk', untilAt: pool.now + SECOND });
      expect(await pool.verdict(of('k5'))).toEqual(['network-resting', SECOND]);
      expect(await pool.explained('k5')).toMatchObject([{ reason: 'network', untilAt: pool.now + SECOND }]);
      pool.advance(SECOND);
      expect(await pool.explained('k5')).toMatchObject([{ nextSlotAt: expect.any(Number) }]);
      expect(short(await pool.call(ok, of('k5')))).toEqual([['network-circuit-closed', 0]]);
      // Nothing of it stands against k1: five more in a row are needed.
      for (let i = 0; i < 4; i += 1) expect(await pool.call(broken, of('k1'))).toEqual([]);
      expect(short(await pool.call(broken, of('k1')))).toEqual([['circuit-open', 0, 5 * SECOND]]);
    });

    it('lets one call at a time probe, whoever asks, with pauses of at most half a minute', async () => {
      const pool = await five();
      for (const id of ['k1', 'k2']) await pool.call(broken, of(id));
      for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
        expect(short(await pool.call(broken, of('k3')))).toEqual([
          ['network-circuit-open', 0, seconds * SECOND],
        ]);
        pool.advance(seconds * SECOND);
      }
      const probe = await pool.grant({ ...of('k4'), calls: 2 });
      expect(probe.slots).toHaveLength(1);
      expect(await pool.verdict(of('k5'))).toEqual(['network-resting', probe.expiresAt - pool.now]);
      await pool.unsent(probe);
      const lost = await pool.grant(of('k5'));
      expect(await pool.verdict(of('k4'))).toEqual(['network-resting', lost.expiresAt - pool.now]);
      pool.advanceTo(lost.expiresAt);
      expect(short(await pool.call(error(10), of('k1')))).toEqual([['network-circuit-closed', 0]]);
      expect(await pool.verdict(of('k5'))).toBe('granted');
    });

    it('lets the next call probe when an operator ends the lease of the one that does', async () => {
      const pool = await five();
      for (const id of ['k1', 'k2', 'k3']) await pool.call(broken, of(id));
      pool.advance(SECOND);
      const probe = await pool.grant(of('k4'));
      expect(await pool.verdict(of('k5'))).toMatchObject(['network-resting', expect.any(Number)]);
      expect(await pool.ledger.release(probe.workspaceId, probe.leaseId)).toBe('released');
      expect(await pool.verdict(of('k5'))).toBe('granted');
    });

    it('takes neither a key that answered since nor a failure of ten seconds ago', async () => {
      const pool = await five();
      await pool.call(broken, of('k1'));
      await pool.call(broken, of('k2'));
      await pool.call(ok, of('k1'));
      expect(await pool.call(broken, of('k3'))).toEqual([]);
      pool.advance(10 * SECOND);
      expect(await pool.call(broken, of('k4'))).toEqual([]);
      expect(await pool.call(broken, of('k5'))).toEqual([]);
      expect(short(await pool.call(broken, of('k1')))).toEqual([['network-circuit-open', 0, SECOND]]);
    });

    it('needs three keys, and more than half of the active ones', async () => {
      const two = await start([aLoneKey('k1'), aLoneKey('k2')]);
      for (const id of ['k1', 'k2']) expect(await two.call(broken, of(id))).toEqual([]);
      const pool = await start([...ids, 'k6'].map((id) => aLoneKey(id)));
      for (const id of ['k1', 'k2', 'k3']) expect(await pool.call(broken, of(id))).toEqual([]);
      await pool.ledger.define([aLoneKey('k6', { state: 'paused', version: 2 })]);
      expect(short(await pool.call(broken, of('k1')))).toEqual([['network-circuit-open', 0, SECOND]]);
    });

    it('hears nothing new from calls that were under way when it opened', async () => {
      const pool = await five();
      const [first, second] = [await pool.grant(of('k4')), await pool.grant(of('k4'))];
      for (const id of ['k1', 'k2', 'k3']) await pool.call(broken, of(id));
      expect(await pool.report(first, broken)).toEqual([]);
      expect(await pool.report(second, ok)).toEqual([]);
      expect(await pool.verdict(of('k5'))).toMatchObject(['network-resting', expect.any(Number)]);
    });
  });

  describe('rests', () => {
    it('are listed, soonest first, and end when somebody says so', async () => {
      const pool = await start();
      await pool.call(error(29));
      await pool.call(error(28), USERS);
      await pool.call(error(42), { methods: { 'groups.get': 1 }, egress: 'home' });
      const listed = await pool.ledger.rests('k1');
      expect(listed).toMatchObject([
        { kind: 'method', name: 'friends.get', code: 29, lengthMs: HOUR, barred: false, onTrial: false },
        { kind: 'egress', name: 'home', code: 42, lengthMs: 6 * HOUR, barred: true },
        { kind: 'method', name: 'users.get', code: 28, lengthMs: 24 * HOUR, barred: true },
      ]);
      expect(await pool.ledger.endRests('k1', { kind: 'method', name: 'users.get' })).toBe(1);
      expect(await pool.verdict(USERS)).toBe('granted');
      expect(await pool.verdict()).not.toBe('granted');
      await pool.call(error(14), { methods: { 'utils.getServerTime': 1 } });
      expect(await pool.ledger.rests('k1')).toMatchObject([{ kind: 'key', lengthMs: 10 * MINUTE }, {}, {}]);
      expect(await pool.ledger.endRests('k1')).toBe(3);
      expect(await pool.ledger.rests('k1')).toEqual([]);
      expect(await pool.verdict({ egress: 'home' })).toBe('granted');
      expect(await pool.ledger.endRests('k1')).toBe(0);
    });

    it('show the circuit, and end it', async () => {
      const pool = await start();
      for (let i = 0; i < 5; i += 1) await pool.call(broken);
      expect(await pool.ledger.rests('k1')).toMatchObject([{ kind: 'circuit', lengthMs: 5 * SECOND }]);
      expect(await pool.ledger.endRests('k1', { kind: 'circuit' })).toBe(1);
      expect(await pool.verdict()).toBe('granted');
      expect(await pool.ledger.rests('unknown')).toEqual([]);
      expect(await pool.ledger.endRests('unknown')).toBe(0);
    });

    it('outlive the memory of the pool', async () => {
      const pool = await start();
      const at = { keyId: 'k1', tokenVersion: 1, code: 29, barred: false };
      const stored = [
        { ...at, kind: 'method' as const, name: 'friends.get', untilAt: pool.now + HOUR, lengthMs: 2 * HOUR },
        { ...at, kind: 'egress' as const, name: 'home', untilAt: pool.now + 2 * HOUR, lengthMs: 6 * HOUR },
        { ...at, keyId: 'unknown', kind: 'key' as const, name: '', untilAt: pool.now + HOUR, lengthMs: 1 },
        {
          ...at,
          kind: 'method' as const,
          name: 'utils.getServerTime',
          untilAt: pool.now + HOUR,
          lengthMs: 1,
          barred: true,
          tokenVersion: 0,
        },
      ];
      expect(await pool.ledger.restoreRests(stored)).toBe(2);
      expect(await pool.ledger.restoreRests(stored)).toBe(0);
      expect(await pool.verdict()).toEqual(['no-slot', HOUR]);
      expect(await pool.verdict({ methods: { 'utils.getServerTime': 1 } })).toBe('granted');
      pool.advance(HOUR);
      expect(short(await pool.call(error(29)))).toEqual([['method-resting', 29, 4 * HOUR]]);
      const resting = {
        ...at,
        kind: 'key' as const,
        name: '',
        code: 9,
        untilAt: pool.now + HOUR,
        lengthMs: HOUR,
      };
      expect(await pool.ledger.restoreRests([resting])).toBe(1);
      expect(await pool.verdict(USERS)).toEqual(['no-slot', HOUR]);
    });
  });
});
