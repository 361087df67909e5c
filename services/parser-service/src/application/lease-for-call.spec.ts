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
    const { leases, aTurn } = setUp();
    const one = aTurn();
    expect((await leases.take(one))?.kind).toBe('granted');
    expect(one.place).toBeDefined();
  });

  it('is not asked for while there is no room, and then with a place in hand', async () => {
    const { leases, aTurn, fill, pool, pause } = setUp();
    const sent = await fill();
    pause.ms = () => new Promise(() => undefined);
    const late = aTurn();
    const taking = leases.take(late);
    await turn();
    expect(pool.asked).toEqual([]);
    sent[0]?.place?.leave();
    expect((await taking)?.kind).toBe('granted');
    expect([pool.asked.length, pool.settled.length, late.place !== undefined]).toEqual([1, 0, true]);
  });

  it('is not asked for when there was no room for as long as the call may wait', async () => {
    const { leases, aTurn, fill, pool, pause } = setUp();
    await fill();
    const late = aTurn();
    expect(await leases.take(late)).toBeUndefined();
    expect([pause.waits, pool.asked.length, late.place]).toEqual([[5_000], 0, undefined]);
  });

  it('is for another workspace whatever the first one has under way', async () => {
    const { leases, aTurn, fill } = setUp();
    await fill();
    expect((await leases.take(aTurn('other')))?.kind).toBe('granted');
  });

  it('waits for a place until its slot is near', async () => {
    const { leases, aTurn, fill, pool, pause, clock } = setUp();
    const others: Turn[] = [];
    const one = aTurn();
    pool.acquire = async () => {
      // The room filled up meanwhile.
      pool.acquire = async () => granted('other');
      others.push(...(await fill()));
      return granted('lease-1', clock.now + 200);
    };
    pause.ms = async (duration) => {
      pause.waits.push(duration);
      others[0]?.place?.leave();
      await turn();
    };
    expect(await leases.take(one)).toEqual(granted('lease-1', clock.now + 200));
    expect([pause.waits, pool.settled, one.place !== undefined]).toEqual([[195], [], true]);
  });

  it('goes back when its slot comes before a place, and the next one is asked for with a place', async () => {
    const { leases, aTurn, fill, pool, pause, clock } = setUp();
    const others: Turn[] = [];
    pool.acquire = async () => {
      pool.acquire = async () => granted('lease-2');
      others.push(...(await fill()));
      pool.acquire = async () => granted('lease-3');
      return granted('lease-1', clock.now + 200);
    };
    pause.ms = async (duration) => {
      pause.waits.push(duration);
      if (pause.waits.length === 2) others[0]?.place?.leave();
      await turn();
    };
    const one = aTurn();
    expect(await leases.take(one)).toEqual(granted('lease-3'));
    expect(pause.waits).toEqual([195, 5_000]);
    expect(pool.settled).toEqual([
      { leaseId: 'lease-1', outcome: 'missed', findings: { errors: [], made: {} } },
    ]);
  });

  it('is not asked for by a call that is withdrawn', async () => {
    const { leases, aTurn, pool } = setUp();
    const one = aTurn();
    one.withdrawal.abort();
    expect(await leases.take(one)).toBeUndefined();
    expect(pool.asked).toEqual([]);
  });

  it('ends the wait for a place of a call that is withdrawn', async () => {
    const { leases, aTurn, fill, pool, pause } = setUp();
    await fill();
    pause.ms = () => new Promise(() => undefined);
    const one = aTurn();
    const taking = leases.take(one);
    await turn();
    one.withdrawal.abort();
    expect(await taking).toBeUndefined();
    expect(pool.asked).toEqual([]);
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
