import net from 'node:net';
import type { AddressInfo } from 'node:net';
import http from 'node:http';
import { aDocument, aRoute, bearer, GatewayBench, goodClaims, jwtConfig, Upstream } from './bench';

const ALL = { methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] };

/** A target that counts connections and does with them what it is told. */
async function rawTarget(behave: (socket: net.Socket) => void) {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    count: () => connections,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function deadPort(): Promise<number> {
  const target = await rawTarget(() => undefined);
  target.close();
  return target.port;
}

describe('between gateway and upstream', () => {
  let upstream: Upstream;
  const benches: GatewayBench[] = [];
  const start = async (ports: number[], service: object = {}, rest: object = {}): Promise<GatewayBench> => {
    const bench = await new GatewayBench(
      aDocument([aRoute('all', ['/'], { ...ALL, ...rest })], {}, service),
      ports,
    ).start();
    benches.push(bench);
    return bench;
  };
  beforeAll(async () => {
    upstream = await new Upstream().start();
  });
  beforeEach(() => {
    upstream.behave = undefined;
    upstream.seen.length = 0;
  });
  afterAll(async () => {
    await Promise.all(benches.map((bench) => bench.stop()));
    await upstream.stop();
  });

  it('goes on to the next target when one refuses connections, for POST too', async () => {
    const bench = await start([await deadPort(), upstream.port]);
    for (const method of ['GET', 'POST', 'PATCH']) {
      for (let n = 0; n < 6; n += 1) expect((await bench.ask({ method, body: '{}' })).status).toBe(200);
    }
    expect(upstream.seen.filter(({ body }) => body === '{}')).toHaveLength(18);
  });

  it('alternates between targets without retries', async () => {
    const bench = await start([await deadPort(), upstream.port], { retries: 0 });
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await bench.ask({})).status);
    expect(statuses).toEqual([502, 200, 502, 200]);
  });

  it.each([
    ['GET', 6],
    ['HEAD', 6],
    ['PUT', 6],
    ['DELETE', 6],
    ['OPTIONS', 6],
    ['POST', 1],
    ['PATCH', 1],
  ])('sends a %s whose connection is reset %i times', async (method, attempts) => {
    const target = await rawTarget((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const bench = await start([target.port]);
    const reply = await bench.ask({ method, body: method === 'POST' ? 'x' : undefined } as never);
    expect([reply.status, target.count()]).toEqual([502, attempts]);
    if (method === 'GET') {
      expect(JSON.parse(reply.body)).toMatchObject({
        message: 'An invalid response was received from the upstream server',
      });
      expect(reply.headers['via']).toBe('1.1 kong/3.9.3');
    }
    target.close();
  });

  it.each([
    ['GET', 3],
    ['POST', 1],
  ])('gives up on a silent upstream: %s is sent %i times', async (method, attempts) => {
    const target = await rawTarget(() => undefined);
    const bench = await start([target.port], { retries: 2, read_timeout: 100 });
    const reply = await bench.ask({ method });
    expect([reply.status, target.count()]).toEqual([504, attempts]);
    expect(reply.body).toContain('The upstream server is timing out');
    target.close();
  });

  it('answers 503 when a name cannot be resolved', async () => {
    const document = aDocument(
      [aRoute('all', ['/'])],
      { upstreams: [{ name: 'svc.upstream', targets: [{ target: 'nowhere.invalid:80' }] }] },
      { retries: 0, connect_timeout: 5000 },
    );
    const bench = await new GatewayBench(document, [1]).start();
    benches.push(bench);
    const reply = await bench.ask({});
    expect([reply.status, JSON.parse(reply.body).message]).toEqual([503, 'name resolution failed']);
  });

  it('ends the connection when the upstream breaks off in mid-answer', async () => {
    const target = await rawTarget((socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
        setTimeout(() => socket.destroy(), 30);
      }),
    );
    const bench = await start([target.port]);
    const reply = await bench.ask({});
    expect([reply.status, reply.body, reply.complete, target.count()]).toEqual([200, 'hello', false, 1]);
    target.close();
  });

  it('passes streams on as they come, and tells the upstream when the client leaves', async () => {
    let left = 0;
    upstream.behave = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      response.on('close', () => (left += 1));
    };
    const bench = await start([upstream.port], {}, { response_buffering: false });
    const first = await new Promise<string>((resolve, reject) => {
      const request = http.get({ port: bench.port, path: '/', agent: false }, (response) => {
        response.on('error', () => undefined);
        response.once('data', (chunk: Buffer) => {
          resolve(chunk.toString());
          request.destroy();
        });
      });
      request.on('error', reject);
    });
    expect(first).toBe(': hello\n\n');
    const deadline = Date.now() + 2000;
    while (left === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(left).toBe(1);
  });

  it('cuts a stream that is silent for longer than read_timeout, with status 200', async () => {
    upstream.behave = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    };
    const bench = await start([upstream.port], { read_timeout: 100 });
    const reply = await bench.ask({});
    expect([reply.status, reply.body, reply.complete]).toEqual([200, 'data: 1\n\n', false]);
  });

  it('streams bodies through a route without request buffering', async () => {
    const bench = await start([upstream.port], { read_timeout: 5000 }, { request_buffering: false });
    const body = Buffer.alloc(3 * 1024 * 1024, 'a');
    expect((await bench.ask({ method: 'POST', body })).status).toBe(200);
    expect(upstream.seen[0]?.body.length).toBe(body.length);
    expect(
      (await bench.ask({ method: 'POST', body, headers: { 'transfer-encoding': 'chunked' } })).status,
    ).toBe(200);
    expect(upstream.seen[1]?.body.length).toBe(body.length);
  });

  it('passes bodies, statuses and headers of the upstream through untouched', async () => {
    upstream.behave = (_request, response, body) => {
      response.writeHead(422, 'Unprocessable', {
        'content-type': 'application/problem+json',
        'set-cookie': ['a=1', 'b=2'],
        server: 'own',
      });
      response.end(body);
    };
    const bench = await start([upstream.port]);
    const reply = await bench.ask({
      method: 'POST',
      body: '{"é":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect([reply.status, reply.body]).toEqual([422, '{"é":1}']);
    expect(reply.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'set-cookie': ['a=1', 'b=2'],
      server: 'own',
    });
    expect(Number(reply.headers['x-kong-upstream-latency'])).toBeGreaterThanOrEqual(0);
  });

  it('finishes requests under way when it drains, and takes no new ones', async () => {
    let answer: (() => void) | undefined;
    upstream.behave = (_request, response) => (answer = () => response.end('late'));
    const bench = await new GatewayBench(aDocument([aRoute('all', ['/'])], {}, { read_timeout: 5000 }), [
      upstream.port,
    ]).start();
    const pending = bench.ask({});
    while (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
    const drained = bench.gateway.drain(3000);
    expect(bench.gateway.ready).toBe(false);
    await expect(bench.ask({})).rejects.toThrow('ECONNREFUSED');
    answer();
    expect((await pending).body).toBe('late');
    await drained;
    bench.counters.close();
  });
});

describe('rate limits', () => {
  const started: GatewayBench[] = [];
  const limited = async (...given: ConstructorParameters<typeof GatewayBench>): Promise<GatewayBench> => {
    const bench = await new GatewayBench(...given).start();
    started.push(bench);
    return bench;
  };
  const limit = (config: object) => ({
    name: 'rate-limiting',
    config: { minute: 3, fault_tolerant: true, ...config },
  });
  const redisConfig = (rest: object = {}) => ({
    limit_by: 'header',
    header_name: 'x-rate-key',
    policy: 'redis',
    redis: {
      host: 'redis-cache',
      port: 6379,
      timeout: 200,
      username: '{vault://env/gateway-redis-username}',
      password: '{vault://env/gateway-redis-password}',
      ...rest,
    },
  });
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await new Upstream().start();
  });
  afterAll(async () => {
    await Promise.all(started.map((bench) => bench.stop()));
    await upstream.stop();
  });

  it('count by address, exactly, in windows of a minute', async () => {
    let now = Date.parse('2026-01-01T00:00:30.500Z');
    const routes = [aRoute('pub', ['/'], { plugins: [limit({ limit_by: 'ip', policy: 'local' })] })];
    const bench = await limited(aDocument(routes), [upstream.port], undefined, () => now);
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => bench.ask({ headers: { 'x-forwarded-for': '1.2.3.4' } })),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(3);
    const refused = replies.find(({ status }) => status === 429);
    expect(JSON.parse(refused?.body ?? '')).toMatchObject({ message: 'API rate limit exceeded' });
    expect(refused?.headers).toMatchObject({
      'ratelimit-limit': '3',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '30',
      'retry-after': '30',
      'x-ratelimit-limit-minute': '3',
      'x-ratelimit-remaining-minute': '0',
    });
    now += 29_499;
    expect((await bench.ask({})).status).toBe(429);
    now += 1;
    const first = await bench.ask({});
    expect([first.status, first.headers['ratelimit-remaining'], first.headers['ratelimit-reset']]).toEqual([
      200,
      '2',
      '60',
    ]);
  });

  it('let everything pass without their headers while Redis is away', async () => {
    const routes = [
      aRoute('me', ['/'], { plugins: [{ name: 'jwt', config: jwtConfig }, limit(redisConfig())] }),
    ];
    const bench = await limited(aDocument(routes), [upstream.port], 'redis://u:p@127.0.0.1:1');
    for (let n = 0; n < 5; n += 1) {
      const reply = await bench.ask({ headers: bearer() });
      expect([reply.status, reply.headers['ratelimit-limit']]).toEqual([200, undefined]);
    }
  });

  const redisUrl = process.env['REDIS_CACHE_URL'] ?? process.env['ADMIN_REDIS_CACHE_URL'];
  (redisUrl === undefined ? it.skip : it)(
    'count by the token in Redis, and a forged token costs its victim nothing',
    async () => {
      const routes = [
        aRoute(`me-${process.pid}-${Date.now()}`, ['/'], {
          plugins: [{ name: 'jwt', config: jwtConfig }, limit(redisConfig())],
        }),
      ];
      const bench = await limited(aDocument(routes), [upstream.port], redisUrl);
      const ask = (sub: string, forged = false) =>
        bench.ask({ headers: { ...bearer(goodClaims(sub), { forged }), 'x-rate-key': 'x' } });
      for (let n = 0; n < 4; n += 1) expect((await ask('ann', true)).status).toBe(401);
      const burst = await Promise.all(Array.from({ length: 10 }, () => ask('ann')));
      expect(burst.filter(({ status }) => status === 200)).toHaveLength(3);
      const bob = await ask('bob');
      expect([bob.status, bob.headers['ratelimit-remaining']]).toEqual([200, '2']);
    },
  );
});
