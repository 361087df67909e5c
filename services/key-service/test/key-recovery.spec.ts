import { seededChance } from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { CallFacts } from '../src/domain/outcomes';
import { aLoneKey, broken, error, ok, PoolDriver, status } from './pool-driver';
import { redisUrl } from './pool-simulation';

jest.setTimeout(60_000);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** A trial whose lease is lost holds its place for so long. */
const LOST_TRIAL = 32 * SECOND;
/** A key that was seen to be out is looked at again once a second, and its next slot is at most a window away. */
const SLACK = 3 * SECOND;

/** What can befall a key that is healthy at its provider, and after how long it must be back at the latest. */
const TROUBLES: readonly { name: string; facts: CallFacts; capMs: number; atOnce?: number }[] = [
  { name: '6', facts: error(6), capMs: 10 * SECOND },
  { name: '429', facts: status(429, 20_000), capMs: MINUTE },
  { name: '9', facts: error(9), capMs: HOUR },
  { name: '14', facts: error(14), capMs: 6 * HOUR },
  { name: '29', facts: error(29), capMs: 24 * HOUR },
  {
    name: '29 inside',
    facts: { ...ok, methodErrors: [{ method: 'users.get', code: 29 }] },
    capMs: 24 * HOUR,
  },
  { name: '7', facts: error(7), capMs: 24 * HOUR },
  { name: '15', facts: error(15, 'Access denied: no access to call this method'), capMs: 24 * HOUR },
  { name: '28', facts: error(28), capMs: 24 * HOUR },
  { name: '42', facts: error(42), capMs: 24 * HOUR },
  { name: '10', facts: error(10), capMs: 0 },
  { name: '500', facts: status(500), capMs: 5 * MINUTE, atOnce: 6 },
  { name: 'broken', facts: broken, capMs: 5 * MINUTE, atOnce: 6 },
  { name: '5', facts: error(5), capMs: 0 },
];

const SEEDS = 10;
const CYCLES = 100;
const KEYS = 4;

describe('a thousand times, a key falls out and comes back', () => {
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(redisUrl());
  });
  afterAll(async () => {
    await redis.quit();
  });

  const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);

  it.each(seeds)(`within the longest rest of its trouble (seed %i, ${CYCLES} cycles)`, async (seed) => {
    const chance = seededChance(seed);
    const draw = (most: number): number => Math.floor(chance() * most);
    const versions = new Map<string, number>();
    const keyOf = (id: string): ReturnType<typeof aLoneKey> => {
      const version = versions.get(id) ?? 1;
      return aLoneKey(id, { version, tokenVersion: version, refreshable: true });
    };
    const ids = Array.from({ length: KEYS }, (_, index) => `key-${index}`);
    const pool = await PoolDriver.start(redis, ids.map(keyOf), chance);
    const of = (id: string) => ({ workspaceId: id, methods: { 'users.get': 1 }, calls: 1 + draw(2) });

    /** The next lease of the key, at most `withinMs` from now. */
    const leaseWithin = async (id: string, withinMs: number, why: string) => {
      const begun = pool.now;
      for (;;) {
        const lease = await pool.tryGrant(of(id));
        if (!Array.isArray(lease)) return lease;
        // The denial says when to ask again, a second from now at most; when it is worth it the rests know.
        const ends = (await pool.ledger.rests(id))
          .map(({ untilAt }) => untilAt)
          .filter((at) => at > pool.now);
        if (ends.length === 0) pool.advance(Math.max(1, Math.min(lease[1], SECOND)));
        else pool.advanceTo(Math.min(...ends) + 0.01);
        if (pool.now - begun > withinMs + SLACK)
          throw new Error(`${id} is out for ${pool.now - begun} ms after ${why}: ${lease[0]}`);
      }
    };

    const finish = async (
      lease: Awaited<ReturnType<typeof leaseWithin>>,
      facts: CallFacts,
    ): Promise<void> => {
      pool.advanceTo((lease.slots[0] as number) + 5 + draw(200));
      await pool.report(lease, facts);
    };

    for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
      const outage = chance() < 0.1;
      const trouble = outage
        ? { name: 'outage', facts: broken, capMs: 5 * MINUTE, atOnce: 2 }
        : (TROUBLES[draw(TROUBLES.length)] as (typeof TROUBLES)[0]);
      const troubled = outage ? ids : [ids[draw(KEYS)] as string];
      const times = (trouble.atOnce ?? 1) + draw(5);
      for (let time = 0; time < times; time += 1) {
        for (const id of troubled) {
          const lease = await leaseWithin(id, trouble.capMs + LOST_TRIAL, `trouble ${trouble.name}`);
          const fate = chance();
          if (fate < 0.1) continue;
          if (fate < 0.2) await pool.unsent(lease);
          else await finish(lease, trouble.facts);
          if (trouble.name !== '5') continue;
          // What refreshes tokens did its work.
          versions.set(id, (versions.get(id) ?? 1) + 1);
          await pool.ledger.define([keyOf(id)]);
          await finish(await leaseWithin(id, 0, 'a refresh'), ok);
        }
      }
      for (const id of troubled) {
        let lost = chance() < 0.2;
        // Until nothing is left of it: the first call may be one trial of several.
        for (let calls = 1; ; calls += 1) {
          const lease = await leaseWithin(id, trouble.capMs + LOST_TRIAL, trouble.name);
          if (!lost) await finish(lease, ok);
          lost = false;
          const rests = await pool.ledger.rests(id);
          if (rests.length === 0) break;
          if (calls > 5) throw new Error(`${id} keeps ${JSON.stringify(rests)} after ${trouble.name}`);
        }
        await finish(await leaseWithin(id, outage ? LOST_TRIAL : 0, `its return from ${trouble.name}`), ok);
      }
    }
    for (const id of ids) {
      expect(await pool.ledger.rests(id)).toEqual([]);
      await leaseWithin(id, 0, 'everything');
    }
  });
});
