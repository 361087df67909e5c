import { StillClock, ToyNetwork } from '../../test/builders';
import type { Call, LeaseVerdict } from '../domain/ports';
import { MemoryKeyPool, MemoryPause } from '../infrastructure/in-memory-edges';
import { LeaseForCall, type Turn } from './lease-for-call';
import { FEWEST_UNSTORED } from './send-room';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const granted = (leaseId: string, slotAt?: number): LeaseVerdict => ({
  kind: 'granted',
  lease: { leaseId, keyId: 'key-1', fence: 1, ...(slotAt === undefined ? {} : { slotAt }) },
});

function setUp() {
  const clock = new StillClock();
  const pool = new MemoryKeyPool();
  const pause = new MemoryPause();
  const leases = new LeaseForCall(pool, clock, pause);
  const aTurn = (workspaceId = 'demo'): Turn & { withdrawal: AbortController } => {
    const withdrawal = new AbortController();
    return {
      network: new ToyNetwork(),
      call: { workspaceId, network: 'toy', importId: 'import-1' } as Call,
      content: { people: ['1'] } as never,
      deadline: clock.now + 5_000,
      withdrawn: withdrawal.signal,
      withdrawal,
    };
  };
  /** Calls that are sent and not stored, as many as there is room for. */
  const fill = async (): Promise<Turn[]> => {
    const turns = Array.from({ length: FEWEST_UNSTORED }, () => aTurn());
    for (const one of turns) await leases.take(one);
    pool.asked.length = 0;
    return turns;
  };
  return { clock, pool, pause, leases, aTurn, fill };
}

describe('a lease for a call', () => {
  it('comes with a place among the calls that are sent and not stored', async () => {
    const { leases, aTurn, pause } = setUp();
    const one = aTurn();
    expect((await leases.take(one))?.kind).toBe('granted');
    expect([one.place !== undefined, pause.waits]).toEqual([true, []]);
  });

  it('is asked for though there is no room: its slot is not near yet', async () => {
    const { leases, aTurn, fill, pool, pause, clock } = setUp();
    const sent = await fill();
    pool.acquire = async () => granted('lease-1', clock.now + 200);
    pause.ms = async (duration) => {
      pause.waits.push(duration);
      // Time passes with the first wait, until the slot is near.
      if (pause.waits.length === 1) clock.now += duration;
      else sent[0]?.place?.leave();
      await turn();
    };
    const late = aTurn();
    expect((await leases.take(late))?.kind).toBe('granted');
    expect([pause.waits, pool.settled, late.place !== undefined]).toEqual([[170, 25], [], true]);
  });

  it('has its place no sooner than its slot is near', async () => {
    const { leases, aTurn, fill, pool, pause, clock } = setUp();
    pool.acquire = async () => granted('lease-1', clock.now + 200);
    let near!: () => void;
    pause.ms = () => new Promise((resolve) => (near = resolve));
    const early = aTurn();
    const taking = leases.take(early);
    await turn();
    expect(early.place).toBeUndefined();
    pool.acquire = async () => granted('other');
    const others = await fill();
    expect(others.every(({ place }) => place !== undefined)).toBe(true);
    others[0]?.place?.leave();
    near();
    expect((await taking)?.kind).toBe('granted');
    expect(early.place).toBeDefined();
  });

  it('is given back when its slot comes before a place; the call takes its place first from then on', async () => {
    const { leases, aTurn, fill, pool, pause, clock } = setUp();
    const sent = await fill();
    const asked: string[] = [];
    pool.acquire = async () => {
      asked.push(asked.length === 0 ? 'lease-1' : 'lease-2');
      return asked.length === 1 ? granted('lease-1', clock.now + 20) : granted('lease-2', clock.now + 500);
    };
    const askedAt: number[] = [];
    pause.ms = async (duration) => {
      pause.waits.push(duration);
      askedAt.push(asked.length);
      if (pause.waits.length === 2) sent[0]?.place?.leave();
      await turn();
    };
    const one = aTurn();
    expect(await leases.take(one)).toEqual(granted('lease-2', clock.now + 500));
    // 15 ms until the slot is too near, then for a place for as long as the call may wait; with it there is no wait.
    expect([pause.waits, askedAt, asked]).toEqual([
      [15, 5_000],
      [1, 1],
      ['lease-1', 'lease-2'],
    ]);
    expect(pool.settled).toEqual([
      { leaseId: 'lease-1', outcome: 'missed', findings: { errors: [], made: {} } },
    ]);
  });

  it('is given back at once when its slot is nearly here and there is no room', async () => {
    const { leases, aTurn, fill, pool, pause, clock } = setUp();
    await fill();
    pool.acquire = async () => granted('lease-1', clock.now + 5);
    const one = aTurn();
    expect(await leases.take(one)).toBeUndefined();
    expect([pause.waits, pool.settled.length, one.place]).toEqual([[5_000], 1, undefined]);
  });

  it('is asked for by no more calls than may be under way, and by the next one when one of them has it', async () => {
    const { leases, aTurn, pool, pause } = setUp();
    pause.ms = () => new Promise(() => undefined);
    const grants: ((verdict: LeaseVerdict) => void)[] = [];
    pool.acquire = () => new Promise((resolve) => grants.push(resolve));
    const takings = Array.from({ length: FEWEST_UNSTORED + 1 }, () => leases.take(aTurn()));
    await turn();
    expect(grants).toHaveLength(FEWEST_UNSTORED);
    grants[0]?.({ kind: 'denied', reason: 'no-keys', retryInMs: 200 });
    expect(await takings[0]).toEqual({ kind: 'denied', reason: 'no-keys', retryInMs: 200 });
    await turn();
    expect(grants).toHaveLength(FEWEST_UNSTORED + 1);
  });

  it('is not asked for by a call whose time was over before its turn to ask', async () => {
    const { leases, aTurn, pool, pause } = setUp();
    pool.acquire = () => new Promise(() => undefined);
    for (let count = 0; count < FEWEST_UNSTORED; count += 1) void leases.take(aTurn());
    await turn();
    pool.asked.length = 0;
    expect(await leases.take(aTurn())).toBeUndefined();
    expect([pause.waits, pool.asked.length]).toEqual([[5_000], 0]);
  });

  it('is for another workspace whatever the first one has under way', async () => {
    const { leases, aTurn, fill, pause } = setUp();
    await fill();
    expect((await leases.take(aTurn('other')))?.kind).toBe('granted');
    expect(pause.waits).toEqual([]);
  });

  it('is not asked for by a call that is withdrawn', async () => {
    const { leases, aTurn, pool } = setUp();
    const one = aTurn();
    one.withdrawal.abort();
    expect(await leases.take(one)).toBeUndefined();
    expect(pool.asked).toEqual([]);
  });

  it('ends the wait for a place of a call that is withdrawn', async () => {
    const { leases, aTurn, fill, pool, pause, clock } = setUp();
    await fill();
    pool.acquire = async (request) => {
      pool.asked.push(request);
      return granted('lease-1', clock.now + 20);
    };
    pause.ms = () => new Promise(() => undefined);
    const one = aTurn();
    const taking = leases.take(one);
    await turn();
    one.withdrawal.abort();
    expect(await taking).toBeUndefined();
    expect([pool.asked.length, pool.settled.length, one.place]).toEqual([1, 1, undefined]);
  });

  it('is given back when it comes after the call was withdrawn', async () => {
    const { leases, aTurn, pool } = setUp();
    let grant!: (verdict: LeaseVerdict) => void;
    pool.acquire = () => new Promise((resolve) => (grant = resolve));
    const one = aTurn();
    const taking = leases.take(one);
    await turn();
    one.withdrawal.abort();
    expect(await taking).toBeUndefined();
    grant(granted('late'));
    await turn();
    expect(pool.settled.map(({ leaseId, outcome }) => [leaseId, outcome])).toEqual([['late', 'missed']]);
  });
});
