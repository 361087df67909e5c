import { DomainError } from '@sociograph/kernel';
import { currentCorrelationId, runWithCorrelation } from '@sociograph/observability';
import { eventually } from '@sociograph/testing';
import { Fanout, RpcClient, RpcServer, type RpcProperties } from '../src';
import { logger, rabbitDesk, rabbitProxy, rabbitUrl, randomName, type RabbitDesk } from './servers';

jest.setTimeout(60_000);

describe('RPC over direct reply-to', () => {
  let desk: RabbitDesk;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    desk = await rabbitDesk();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => desk.close());

  async function aServer(
    handle: (body: Buffer, properties: RpcProperties) => Promise<Buffer>,
    url = rabbitUrl(),
  ): Promise<{ queue: string; server: RpcServer }> {
    const queue = randomName('spec.rpc');
    await desk.channel.assertQueue(queue, { durable: true });
    closing.push(async () => void (await desk.channel.deleteQueue(queue)));
    const server = new RpcServer({ url, queue, logger, handle });
    closing.push(() => server.close());
    await server.listening();
    return { queue, server };
  }

  async function aClient(queue: string, url = rabbitUrl()): Promise<RpcClient> {
    const client = new RpcClient({ url, queue, logger });
    closing.push(() => client.close());
    await client.connect();
    return client;
  }

  it('answers many requests at once, each its own, and vouches for the sender', async () => {
    const seen: (RpcProperties & { correlation: string | undefined })[] = [];
    const { queue } = await aServer(async (body, properties) => {
      seen.push({ ...properties, correlation: currentCorrelationId() });
      const n = Number(body.toString());
      await new Promise((resolve) => setTimeout(resolve, (n % 5) * 5));
      return Buffer.from(String(n * 2));
    });
    const client = await aClient(queue);
    const answers = await runWithCorrelation('import-7', () =>
      Promise.all(Array.from({ length: 50 }, (_, n) => client.request(Buffer.from(String(n)), 5_000))),
    );
    expect(answers.map(String)).toEqual(Array.from({ length: 50 }, (_, n) => String(n * 2)));
    const { username } = new URL(rabbitUrl());
    expect(new Set(seen.map(({ userId }) => userId))).toEqual(new Set([decodeURIComponent(username)]));
    expect(new Set(seen.map(({ replyTo }) => replyTo)).size).toBe(1);
    expect(seen[0]?.replyTo).toMatch(/^amq\.rabbitmq\.reply-to\./);
    expect(new Set(seen.map(({ correlation }) => correlation))).toEqual(new Set(['import-7']));
  });

  it('takes a few milliseconds for a round trip', async () => {
    const { queue } = await aServer(async (body) => body);
    const client = await aClient(queue);
    await client.request(Buffer.alloc(10), 1_000);
    const took: number[] = [];
    for (let n = 0; n < 50; n += 1) {
      const startedAt = performance.now();
      await client.request(Buffer.alloc(500), 1_000);
      took.push(performance.now() - startedAt);
    }
    const median = took.sort((a, b) => a - b)[25] ?? Infinity;
    if (process.env['SPEC_TIMES'] !== undefined) process.stderr.write(`rpc median ${median} ms\n`);
    expect(median).toBeLessThan(20);
  });

  it('gives up at its timeout, and ignores the answer that comes later', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { queue } = await aServer(async (body) => {
      if (body.toString() === 'slow') await held;
      return body;
    });
    const client = await aClient(queue);
    await expect(client.request(Buffer.from('slow'), 100)).rejects.toMatchObject({
      code: 'RPC.TIMEOUT',
      kind: 'unavailable',
    });
    // Its answer is sent before the next one.
    release();
    expect((await client.request(Buffer.from('quick'), 1_000)).toString()).toBe('quick');
  });

  it('tells a failed handler, a missing server and a lost connection apart', async () => {
    const proxy = await rabbitProxy();
    closing.push(() => proxy.close());
    let asked = false;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { queue } = await aServer(async (body) => {
      if (body.toString() === 'fail') throw new DomainError({ code: 'SPEC.NO', kind: 'bug', message: 'no' });
      if (body.toString() === 'wait') {
        asked = true;
        await held;
      }
      return body;
    });
    const client = await aClient(queue, rabbitUrl(proxy));
    await expect(client.request(Buffer.from('fail'), 1_000)).rejects.toMatchObject({
      code: 'RPC.FAILED',
      kind: 'unavailable',
      facts: { serverCode: 'SPEC.NO' },
    });
    const nobody = await aClient('spec.nobody.listens');
    await expect(nobody.request(Buffer.from('x'), 2_000)).rejects.toMatchObject({ code: 'RPC.NO_SERVER' });
    const pending = client.request(Buffer.from('wait'), 5_000);
    const failed = expect(pending).rejects.toMatchObject({
      code: 'RABBIT.UNAVAILABLE',
      facts: { reason: 'the connection broke before the answer' },
    });
    await eventually(() => asked);
    proxy.cut();
    await failed;
    release();
    const startedAt = performance.now();
    expect((await client.request(Buffer.from('again'), 10_000)).toString()).toBe('again');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    proxy.refuse();
    await eventually(() =>
      expect(client.request(Buffer.from('x'), 300)).rejects.toMatchObject({
        code: 'RABBIT.UNAVAILABLE',
        facts: { reason: 'no connection' },
      }),
    );
  });

  it('serves again after its own connection was cut, and answers what it has before it closes', async () => {
    const proxy = await rabbitProxy();
    closing.push(() => proxy.close());
    let inHand = false;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { queue, server } = await aServer(async (body) => {
      if (body.toString() === 'last') {
        inHand = true;
        await held;
      }
      return body;
    }, rabbitUrl(proxy));
    const client = await aClient(queue);
    proxy.cut();
    await eventually(async () => (await client.request(Buffer.from('a'), 1_000)).toString() === 'a');
    const last = client.request(Buffer.from('last'), 10_000);
    await eventually(() => inHand);
    const closed = server.close();
    await eventually(async () => (await desk.channel.checkQueue(queue)).consumerCount === 0);
    release();
    await closed;
    expect((await last).toString()).toBe('last');
  });
});

describe('RpcServer', () => {
  it('leaves alone what nobody waits for, and takes no more once it closes', async () => {
    const desk = await rabbitDesk();
    const queue = randomName('spec.rpc');
    await desk.channel.assertQueue(queue, { durable: true });
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const server = new RpcServer({
      url: rabbitUrl(),
      queue,
      logger,
      handle: async (body) => {
        seen.push(body.toString());
        await held;
        return body;
      },
    });
    await server.listening();
    const client = new RpcClient({ url: rabbitUrl(), queue, logger });
    await client.connect();
    desk.channel.sendToQueue(queue, Buffer.from('no address'), { correlationId: 'c' });
    desk.channel.sendToQueue(queue, Buffer.from('no id'), { replyTo: 'nowhere' });
    const answer = client.request(Buffer.from('wanted'), 5_000);
    await eventually(() => seen.length > 0);
    const closed = server.close();
    await eventually(async () => (await desk.channel.checkQueue(queue)).consumerCount === 0);
    const late = client.request(Buffer.from('late'), 300);
    await expect(late).rejects.toMatchObject({ code: 'RPC.TIMEOUT' });
    release();
    expect((await answer).toString()).toBe('wanted');
    await closed;
    expect(seen).toEqual(['wanted']);
    // Nothing waited for an acknowledgement: the request that was served is not in the queue again.
    await eventually(async () => (await desk.channel.checkQueue(queue)).messageCount === 0);
    await client.close();
    await desk.channel.deleteQueue(queue);
    await desk.close();
  });
});

describe('Fanout', () => {
  it('reaches every subscriber, also after a cut, and a throwing subscriber stays subscribed', async () => {
    const desk = await rabbitDesk();
    const exchange = randomName('spec.fanout');
    await desk.channel.assertExchange(exchange, 'fanout', { durable: true });
    const proxy = await rabbitProxy();
    const publisher = new Fanout({ url: rabbitUrl(), logger });
    const first = new Fanout({ url: rabbitUrl(), logger });
    const second = new Fanout({ url: rabbitUrl(proxy), logger });
    const seen: string[][] = [[], []];
    await first.subscribeFanout(exchange, (body) => {
      seen[0]?.push(body.toString());
      throw new Error('a subscriber fails');
    });
    await second.subscribeFanout(exchange, (body) => void seen[1]?.push(body.toString()));
    await publisher.publishFanout(exchange, Buffer.from('one'));
    await publisher.publishFanout(exchange, Buffer.from('two'));
    await eventually(() =>
      expect(seen).toEqual([
        ['one', 'two'],
        ['one', 'two'],
      ]),
    );
    proxy.cut();
    await eventually(async () => {
      await publisher.publishFanout(exchange, Buffer.from('three'));
      expect(seen[1]).toContain('three');
    });
    await Promise.all([publisher.close(), first.close(), second.close()]);
    await proxy.close();
    await desk.channel.deleteExchange(exchange);
    await desk.close();
  });
});
