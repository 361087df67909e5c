import { callRequested, deadQueue, EXCHANGES, TASK_HEADERS } from '@sociograph/contracts';
import { eventually, TcpProxy } from '@sociograph/testing';
import { DeadQueue } from '../src';
import { rabbitDesk, type RabbitDesk, rabbitUrl, randomName } from './servers';

jest.setTimeout(60_000);

describe('a dead queue', () => {
  let desk: RabbitDesk;
  let queue: string;
  let dead: DeadQueue;

  beforeAll(async () => {
    desk = await rabbitDesk();
  });
  afterAll(() => desk.close());
  beforeEach(async () => {
    queue = randomName('spec.dead');
    await desk.declareTasks(queue, []);
    dead = new DeadQueue({ url: rabbitUrl(), queue });
  });

  function bury(messageId: string, content = JSON.stringify(callRequested.example)): void {
    desk.channel.publish(EXCHANGES.dead, queue, Buffer.from(content), {
      messageId,
      contentType: 'application/json',
      type: 'a-type',
      headers: {
        [TASK_HEADERS.attempt]: 4,
        [TASK_HEADERS.code]: 'SPEC.BROKEN',
        [TASK_HEADERS.reason]: 'it broke',
        [TASK_HEADERS.correlationId]: 'c-1',
      },
    });
  }
  const held = async (name: string): Promise<number> => (await desk.channel.checkQueue(name)).messageCount;
  const idsOf = async (): Promise<string[]> => (await dead.list(50)).map(({ id }) => id);
  const holds = (name: string, count: number) =>
    eventually(async () => expect(await held(name)).toBe(count), { timeoutMs: 20_000 });

  it('tells what lies in it and why, oldest first, and loses nothing by it', async () => {
    bury('a');
    bury('b', 'no json');
    await holds(deadQueue(queue), 2);
    const expected = { queue, code: 'SPEC.BROKEN', reason: 'it broke', attempts: 4 };
    for (let look = 0; look < 3; look += 1) {
      const tasks = await dead.list(10);
      expect(tasks).toMatchObject([
        { ...expected, id: 'a' },
        { ...expected, id: 'b' },
      ]);
      expect(tasks.map(({ content }) => content.toString())).toEqual([
        JSON.stringify(callRequested.example),
        'no json',
      ]);
    }
    expect(await dead.list(1)).toHaveLength(1);
    await holds(deadQueue(queue), 2);
  });

  it('sends one back to its work queue as if for the first time', async () => {
    for (const id of ['a', 'b', 'c']) bury(id);
    await holds(deadQueue(queue), 3);
    expect(await dead.redrive(['b'], async () => true)).toBe(1);
    await holds(queue, 1);
    const message = await desk.channel.get(queue, { noAck: true });
    if (message === false) throw new Error('nothing came back');
    expect(message.properties).toMatchObject({ messageId: 'b', type: 'a-type', deliveryMode: 2 });
    expect(message.properties.headers).toMatchObject({
      [TASK_HEADERS.attempt]: 1,
      [TASK_HEADERS.correlationId]: 'c-1',
    });
    for (const gone of [TASK_HEADERS.code, TASK_HEADERS.reason])
      expect(message.properties.headers).not.toHaveProperty(gone);
    await eventually(async () => expect(await idsOf()).toEqual(['a', 'c']), { timeoutMs: 20_000 });
    expect(await dead.redrive(['b'], async () => true)).toBe(0);
  });

  it('sends all of them back but those that are refused', async () => {
    for (const id of ['a', 'b', 'c']) bury(id);
    await holds(deadQueue(queue), 3);
    expect(await dead.redrive('all', async ({ id }) => id !== 'b')).toBe(2);
    await holds(queue, 2);
    await eventually(async () => expect(await idsOf()).toEqual(['b']), { timeoutMs: 20_000 });
  });

  it('keeps a task whose preparation fails', async () => {
    bury('a');
    await holds(deadQueue(queue), 1);
    const failing = dead.redrive('all', async () => {
      throw new Error('not now');
    });
    await expect(failing).rejects.toThrow('not now');
    await holds(deadQueue(queue), 1);
    expect(await held(queue)).toBe(0);
  });

  it('names by its content what came without an id, and says so of what the broker gave up', async () => {
    desk.channel.publish(EXCHANGES.dead, queue, Buffer.from('x'), {});
    await holds(deadQueue(queue), 1);
    const [task] = await dead.list(1);
    expect(task).toMatchObject({
      id: '2d711642b726b04401627ca9fbac32f5',
      code: 'TASK.DELIVERED_TOO_OFTEN',
      attempts: 1,
    });
    expect(await dead.redrive([task?.id ?? ''], async () => true)).toBe(1);
  });

  it('says that the broker is away when the connection breaks, and keeps what was not sent', async () => {
    bury('a');
    await holds(deadQueue(queue), 1);
    const url = new URL(rabbitUrl());
    const target = { host: url.hostname, port: Number(url.port) };
    const proxy = await new TcpProxy({ target }).start();
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const cut = new DeadQueue({ url: url.href, queue }).redrive('all', async () => {
      proxy.cut();
      return true;
    });
    await expect(cut).rejects.toMatchObject({ code: 'RABBIT.UNAVAILABLE', kind: 'unavailable' });
    await proxy.close();
    await holds(deadQueue(queue), 1);
  });

  it('says that the broker is away', async () => {
    const away = new DeadQueue({ url: 'amqp://nobody:x@127.0.0.1:1/none', queue });
    await expect(away.list(1)).rejects.toMatchObject({ code: 'RABBIT.UNAVAILABLE', kind: 'unavailable' });
  });
});
