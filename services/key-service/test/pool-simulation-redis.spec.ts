import { Chance } from '../src/simulation/chance';
import { type RedisPair, startRedisPair } from '../src/simulation/redis-pair';
import type { RedisRoom } from '../src/simulation/redis-room';
import { SimulatedConnection, SimulatedServer } from '../src/simulation/simulated-redis';
import { VirtualTime } from '../src/simulation/virtual-time';
import { World } from '../src/simulation/world';

jest.setTimeout(60_000);

const SECOND = 1_000_000;
const INCREMENT = "return redis.call('INCR', 'n')";
const LIBRARY = `#!lua name=increment\nredis.register_function('increment', function() ${INCREMENT} end)`;

describe('Redis at a virtual time', () => {
  let redis: RedisPair;
  let room: RedisRoom;
  let world: World;
  let server: SimulatedServer;

  beforeAll(async () => {
    redis = await startRedisPair();
  });

  afterAll(() => {
    redis.stop();
  });

  beforeEach(async () => {
    await begin(1);
  });

  async function begin(seed: number): Promise<void> {
    [room] = redis.rooms as [RedisRoom];
    world = new World(new VirtualTime(room), new Chance(seed));
    server = new SimulatedServer(world, room);
    await server.clean();
  }

  function connect(): SimulatedConnection {
    return new SimulatedConnection(world, server);
  }

  /** What this comes to, in virtual time; the message of what it fails with. */
  async function outcomeOf(asked: Promise<unknown>): Promise<unknown> {
    let outcome: { value: unknown } | undefined;
    asked.then(
      (value) => (outcome = { value }),
      (error: Error) => (outcome = { value: error.message }),
    );
    await world.time.runUntil(() => outcome !== undefined);
    return outcome?.value;
  }

  /** Thirty increments over two connections, 50 us apart: what each answered and how long that took (us). */
  async function increments(): Promise<{ n: number; at: 0 | 1; took: number }[]> {
    const connections = [connect(), connect()] as const;
    const { time } = world;
    const seen: { n: number; at: 0 | 1; took: number }[] = [];
    for (let index = 0; index < 30; index += 1) {
      const at = index % 2 === 0 ? 0 : 1;
      time.after(index * 50, () => {
        const sentAt = time.micros;
        void connections[at]
          .eval(INCREMENT, 0)
          .then((n) => seen.push({ n: Number(n), at, took: time.micros - sentAt }));
        time.woke();
      });
    }
    await time.runUntil(() => seen.length === 30);
    return seen;
  }

  it('does commands as they arrive and answers each when its reply is due, the same for the same seed', async () => {
    const seen = await increments();
    expect(seen.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, index) => index + 1),
    );
    for (const { took } of seen) expect(took).toBeGreaterThanOrEqual(60);
    for (const at of [0, 1]) {
      const mine = seen.filter((one) => one.at === at).map(({ n }) => n);
      expect(mine).toEqual([...mine].sort((a, b) => a - b));
    }
    await begin(1);
    expect(await increments()).toEqual(seen);
    await begin(2);
    expect(await increments()).not.toEqual(seen);
  });

  it('loses a reply, not what the command did', async () => {
    const connection = connect();
    await outcomeOf(connection.function('LOAD', 'REPLACE', LIBRARY));
    connection.losing = 1;
    expect(await outcomeOf(connection.fcall('increment', 0, 0, 0))).toBe('Connection is closed.');
    connection.losing = 0;
    expect(await outcomeOf(connection.get('n'))).toBe('1');
  });

  it('does nothing while it is away, and is there again afterwards', async () => {
    const connection = connect();
    await outcomeOf(connection.function('LOAD', 'REPLACE', LIBRARY));
    server.away(SECOND);
    expect(await outcomeOf(connection.fcall('increment', 0, 0, 0))).toBe('Connection is closed.');
    let isLater = false;
    world.time.after(SECOND, () => (isLater = true));
    await world.time.runUntil(() => isLater);
    expect(await outcomeOf(connection.fcall('increment', 0, 0, 0))).toBe(1);
  });

  it('has no functions after FUNCTION FLUSH, and takes them again', async () => {
    const connection = connect();
    await outcomeOf(connection.function('LOAD', 'REPLACE', LIBRARY));
    expect(await outcomeOf(connection.function('LIST', 'LIBRARYNAME', 'increment'))).toHaveLength(1);
    server.flushFunctions();
    expect(await outcomeOf(connection.function('LIST', 'LIBRARYNAME', 'increment'))).toHaveLength(0);
    expect(await outcomeOf(connection.fcall('increment', 0, 0, 0))).toContain('Function not found');
    await outcomeOf(connection.function('LOAD', 'REPLACE', LIBRARY));
    expect(await outcomeOf(connection.fcall('increment', 0, 0, 0))).toBe(1);
    expect(world.violations).toEqual([]);
  });

  it('shares no data and no functions with a seed that is played at the same time', async () => {
    const [, other] = redis.rooms as [RedisRoom, RedisRoom];
    const otherWorld = new World(new VirtualTime(other), new Chance(2));
    const otherServer = new SimulatedServer(otherWorld, other);
    await otherServer.clean();
    await outcomeOf(connect().function('LOAD', 'REPLACE', LIBRARY));
    await outcomeOf(connect().fcall('increment', 0, 0, 0));
    await expect(otherServer.call('FCALL', 'increment', 0, 0, 0)).rejects.toThrow('Function not found');
    const [mine, theirs] = [server.call('GET', 'n'), otherServer.call('GET', 'n')];
    expect([await mine, await theirs]).toEqual(['1', null]);
    otherServer.flushAll();
    await other.idle();
    expect(await server.call('GET', 'n')).toBe('1');
  });

  it('lets lives pass with virtual time, not with real time', async () => {
    const connection = connect();
    const at = async (seconds: number): Promise<unknown> => {
      let isThen = false;
      world.time.after(seconds * SECOND, () => (isThen = true));
      await world.time.runUntil(() => isThen);
      return outcomeOf(connection.get('mortal'));
    };
    await outcomeOf(connection.eval("return redis.call('SET', 'mortal', 'here', 'PX', 60000)", 0));
    // The first look finds it; each later one takes off what passed since the one before. Ten seconds are left to a
    // machine that stands still: what passed in reality before the first look does count.
    expect(await at(6)).toBe('here');
    expect(await at(50)).toBe('here');
    expect(await at(20)).toBe(null);
  });

  it('tells a process that is gone nothing', async () => {
    const connection = connect();
    let told = false;
    void connection.eval(INCREMENT, 0).then(() => (told = true));
    connection.close();
    await world.time.runUntil(() => false);
    expect(told).toBe(false);
    expect(await outcomeOf(connect().get('n'))).toBe('1');
  });

  it.each([
    ['all', '2'],
    ['older', '1'],
    ['nothing', null],
  ] as const)(
    'comes back from a restart with %s of its data and without its functions',
    async (data, left) => {
      const connection = connect();
      await outcomeOf(connection.function('LOAD', 'REPLACE', LIBRARY));
      await outcomeOf(connection.fcall('increment', 0, 0, 0));
      await server.writeDisk();
      await outcomeOf(connection.fcall('increment', 0, 0, 0));
      await server.restart(data);
      expect(await outcomeOf(connection.fcall('increment', 0, 0, 0))).toContain('Function not found');
      expect(await outcomeOf(connection.get('n'))).toBe(left);
      expect(world.violations).toEqual([]);
    },
  );
});
