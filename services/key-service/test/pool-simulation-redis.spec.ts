import { Chance } from '../src/simulation/chance';
import { type RedisPair, startRedisPair } from '../src/simulation/redis-pair';
import { SimulatedConnection, SimulatedServer } from '../src/simulation/simulated-redis';
import { settlingOf } from '../src/simulation/simulate';
import { VirtualTime } from '../src/simulation/virtual-time';
import { World } from '../src/simulation/world';

const SECOND = 1_000_000;
const INCREMENT = "return redis.call('INCR', 'n')";

describe('Redis at a virtual time', () => {
  let redis: RedisPair;
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
    world = new World(new VirtualTime(settlingOf(redis)), new Chance(seed));
    server = new SimulatedServer(world, redis);
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
    const sha = String(await outcomeOf(connection.script('LOAD', INCREMENT)));
    connection.losing = 1;
    expect(await outcomeOf(connection.evalsha(sha, 0, 0, 0))).toBe('Connection is closed.');
    connection.losing = 0;
    expect(await outcomeOf(connection.get('n'))).toBe('1');
  });

  it('does nothing while it is away, and is there again afterwards', async () => {
    const connection = connect();
    const sha = String(await outcomeOf(connection.script('LOAD', INCREMENT)));
    server.away(SECOND);
    expect(await outcomeOf(connection.evalsha(sha, 0, 0, 0))).toBe('Connection is closed.');
    let isLater = false;
    world.time.after(SECOND, () => (isLater = true));
    await world.time.runUntil(() => isLater);
    expect(await outcomeOf(connection.evalsha(sha, 0, 0, 0))).toBe(1);
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
  ] as const)('comes back from a restart with %s of its data and without its scripts', async (data, left) => {
    const connection = connect();
    const sha = String(await outcomeOf(connection.script('LOAD', INCREMENT)));
    await outcomeOf(connection.evalsha(sha, 0, 0, 0));
    await server.writeDisk();
    await outcomeOf(connection.evalsha(sha, 0, 0, 0));
    await server.restart(data);
    expect(await outcomeOf(connection.evalsha(sha, 0, 0, 0))).toContain('NOSCRIPT');
    expect(await outcomeOf(connection.get('n'))).toBe(left);
    expect(world.violations).toEqual([]);
  });
});
