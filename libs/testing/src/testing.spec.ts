import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  eventually,
  fakeClock,
  ProcessHandle,
  seeded,
  sequentialIds,
  serverControl,
  TcpProxy,
  testServers,
} from './index';

describe('eventually', () => {
  it('returns what the function returns once it neither throws nor is false', async () => {
    let calls = 0;
    const value = await eventually(
      () => {
        calls += 1;
        if (calls === 1) throw new Error('too early');
        return calls === 3 ? 'ready' : false;
      },
      { everyMs: 1 },
    );
    expect([value, calls]).toEqual(['ready', 3]);
  });

  it('throws the last failure at the deadline', async () => {
    const never = eventually(() => false, { timeoutMs: 20, everyMs: 5 });
    await expect(never).rejects.toThrow(/^not within \d+ ms: the condition stayed false$/);
    const failing = eventually(() => Promise.reject(new Error('no server')), { timeoutMs: 5, everyMs: 5 });
    await expect(failing).rejects.toThrow('no server');
  });
});

describe('fakes', () => {
  it('move the clock only when told, and the wall clock alone when it jumps', () => {
    const clock = fakeClock(1_000);
    clock.advance(5);
    clock.jumpWallClock(-100);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([905, 5]);
  });

  it('count ids', () => {
    const ids = sequentialIds('call');
    expect([ids.next(), ids.next()]).toEqual(['call-1', 'call-2']);
  });

  it('repeat chance from a seed', () => {
    const draw = (seed: number): number[] =>
      Array.from({ length: 5 }, (_, n, random = seeded(seed + n)) => random.next());
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    const random = seeded(42);
    const items = Array.from({ length: 20 }, (_, n) => n);
    const shuffled = random.shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
    expect(items).toContain(random.pick(items));
    expect(new Set(Array.from({ length: 200 }, () => random.below(3)))).toEqual(new Set([0, 1, 2]));
    expect(() => random.pick([])).toThrow('nothing to pick from');
  });
});

describe('testServers', () => {
  it('names what is missing and how to get it', () => {
    expect(() => testServers({})).toThrow(
      'ADMIN_DATABASE_URL is not set: start the test stack first (npm run up -- --stack test --servers-only)',
    );
    const env = {
      ADMIN_DATABASE_URL: 'd',
      ADMIN_RABBITMQ_URL: 'r',
      KAFKA_BROKERS: 'a:1,b:2',
      KEY_SERVICE_RABBITMQ_URL: 'k',
    };
    const servers = testServers(env);
    expect(servers.kafkaBrokers).toEqual(['a:1', 'b:2']);
    expect(servers.of('key-service', 'RABBITMQ_URL')).toBe('k');
    expect(() => servers.of('key-service', 'OTHER')).toThrow('KEY_SERVICE_OTHER is not set');
    expect(() => serverControl({})).toThrow('SOCIOGRAPH_STACK is not set');
  });
});

describe('TcpProxy', () => {
  let echo: Server;
  let proxy: TcpProxy;

  beforeEach(async () => {
    echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    proxy = await new TcpProxy({ target: { port: (echo.address() as AddressInfo).port } }).start();
  });
  afterEach(async () => {
    await proxy.close();
    await new Promise((resolve) => echo.close(resolve));
  });

  /** What comes back in that time; the word `broken` when the connection breaks. */
  async function say(
    text: string,
    socket: Socket = connect(proxy.port, '127.0.0.1'),
    waitMs = 5_000,
  ): Promise<string> {
    return new Promise((resolve) => {
      const done = (answer: string): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      };
      socket.on('error', () => done('broken'));
      socket.on('close', () => done('broken'));
      socket.on('data', (chunk) => done(chunk.toString()));
      socket.write(text);
      const timer = setTimeout(() => done('nothing'), waitMs);
    });
  }

  it('passes bytes through, breaks open connections on a cut and takes new ones', async () => {
    expect(await say('one')).toBe('one');
    const open = connect(proxy.port, '127.0.0.1');
    await new Promise((resolve) => open.once('connect', resolve));
    await eventually(() => proxy.connections > 0);
    const broken = new Promise((resolve) => open.once('close', () => resolve('broken')));
    proxy.cut();
    expect(await broken).toBe('broken');
    expect(await say('two')).toBe('two');
  });

  it('refuses, stalls and delays until it is restored', async () => {
    proxy.refuse();
    expect(await say('x')).toBe('broken');
    proxy.restore();
    proxy.stall();
    expect(await say('x', undefined, 80)).toBe('nothing');
    proxy.restore();
    proxy.delay(30);
    const startedAt = performance.now();
    expect(await say('late')).toBe('late');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55);
    proxy.restore();
    expect(await say('quick')).toBe('quick');
  });
});

describe('ProcessHandle', () => {
  const script = `
    process.on('SIGTERM', () => { console.log('bye'); process.exit(3); });
    console.log('ready ' + process.pid);
    let n = 0; setInterval(() => console.log('tick ' + ++n), 5);`;
  const handle = new ProcessHandle({ command: process.execPath, args: ['-e', script] });
  afterEach(() => handle.kill());

  it('starts, waits for a line, ends by a signal and says how', async () => {
    await handle.start();
    expect(await handle.waitFor(/^ready \d+$/)).toBe(`ready ${handle.pid}`);
    expect(handle.running).toBe(true);
    expect(await handle.end()).toEqual({ code: 3, signal: null });
    expect(handle.running).toBe(false);
    expect(handle.lines).toContain('bye');
    await expect(handle.waitFor(/never/)).rejects.toThrow('the process ended (exit code 3) before /never/');
  });

  it('kills, restarts, freezes and thaws', async () => {
    await handle.start();
    await handle.waitFor(/ready/);
    const before = handle.pid;
    expect(await handle.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    await handle.restart();
    await handle.waitFor(/tick 3/);
    expect(handle.pid).not.toBe(before);
    handle.freeze();
    // T: stopped by a signal.
    await eventually(() => expect(stateOf(handle.pid)).toBe('T'));
    const frozenAt = handle.lines.length;
    handle.thaw();
    await eventually(() => handle.lines.length > frozenAt + 1);
    expect(stateOf(handle.pid)).not.toBe('T');
    await expect(handle.waitFor(/never/, 20)).rejects.toThrow(/did not come within 20 ms/);
  });
});

/** The one letter by which Linux says what a process does. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
}
