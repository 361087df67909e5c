import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { callRequested, EXCHANGES } from '@sociograph/contracts';
import { DomainError, type ErrorKind } from '@sociograph/kernel';
import {
  createLogger,
  currentCorrelationId,
  currentTraceparent,
  inSpan,
  Metrics,
  runWithCorrelation,
  startTracing,
  type Tracing,
} from '@sociograph/observability';
import { eventually, sequentialIds } from '@sociograph/testing';
import {
  Inbox,
  inboxTableSql,
  rabbitModule,
  TaskConsumer,
  TaskHandler,
  TaskHandlers,
  TaskPublisher,
  type ManagedConnection,
  type TaskConsumerOptions,
  type TaskContext,
} from '../src';
import {
  logger,
  managedConnection,
  rabbitDesk,
  rabbitProxy,
  rabbitUrl,
  randomName,
  specDatabase,
  type RabbitDesk,
} from './servers';

jest.setTimeout(60_000);

const LADDER = [
  { suffix: 'retry.a', delayMs: 50 },
  { suffix: 'retry.b', delayMs: 100 },
];
const call = callRequested.example;

describe('tasks', () => {
  let desk: RabbitDesk;
  let connection: ManagedConnection;
  let publisher: TaskPublisher;
  let tracing: Tracing;
  const consumers: TaskConsumer[] = [];

  beforeAll(async () => {
    tracing = startTracing({ service: 'spec', instance: '0', sampleRatio: 1 });
    desk = await rabbitDesk();
    connection = managedConnection();
    publisher = new TaskPublisher(connection, logger, sequentialIds(randomName('task')));
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
  });
  afterAll(async () => {
    await publisher.close();
    await connection.close();
    await desk.close();
    await tracing.shutdown();
  });

  async function aQueue(): Promise<string> {
    const queue = randomName('spec.tasks');
    await desk.declareTasks(queue, LADDER);
    return queue;
  }

  async function consume(
    queue: string,
    handle: TaskConsumerOptions['handle'],
    options: Partial<TaskConsumerOptions> = {},
    over: ManagedConnection = connection,
  ): Promise<TaskConsumer> {
    const consumer = new TaskConsumer(over, {
      queue,
      message: callRequested,
      prefetch: 4,
      ladder: LADDER,
      logger,
      handle,
      ...options,
    });
    consumers.push(consumer);
    await consumer.consuming();
    return consumer;
  }

  /** As long as a close that waits for nothing would take, several times. */
  async function roundTrips(queue: string): Promise<void> {
    for (let n = 0; n < 20; n += 1) await desk.channel.checkQueue(queue);
  }

  const failing = (kind: ErrorKind) => async (): Promise<void> => {
    throw new DomainError({ code: 'SPEC.FAILED', kind, message: 'as the spec wants' });
  };

  it('delivers a task with its id, trace and correlation id, and acknowledges it after the handler', async () => {
    const queue = await aQueue();
    const seen: { payload: unknown; task: TaskContext; correlation: unknown; trace: string | undefined }[] =
      [];
    let traceId = '';
    const messageId = await inSpan('spec', {}, (span) => {
      traceId = span.spanContext().traceId;
      return runWithCorrelation('import-7', () =>
        publisher.publish({ queue, message: callRequested, value: call }),
      );
    });
    const metrics = new Metrics({ service: 'spec', instance: '0', processMetrics: false });
    await consume(
      queue,
      async (payload, task) => {
        seen.push({ payload, task, correlation: currentCorrelationId(), trace: currentTraceparent() });
      },
      { metrics },
    );
    await eventually(() => seen.length === 1);
    expect(seen).toEqual([
      {
        payload: call,
        task: { queue, messageId, attempt: 1, redelivered: false, correlationId: 'import-7' },
        correlation: 'import-7',
        trace: expect.stringContaining(traceId) as string,
      },
    ]);
    await eventually(async () => {
      expect(await metrics.registry.metrics()).toContain(`queue="${queue}",outcome="done"`);
    });
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
    expect(await desk.take(queue)).toBeUndefined();
  });

  it('climbs the ladder rung by rung, then goes to the dead queue with the reason', async () => {
    const queue = await aQueue();
    const attempts: { attempt: number; atMs: number }[] = [];
    await consume(queue, async (_payload, { attempt }) => {
      attempts.push({ attempt, atMs: performance.now() });
      await failing('unavailable')();
    });
    const messageId = await publisher.publish({
      queue,
      message: callRequested,
      value: call,
      headers: { own: 'kept' },
    });
    const dead = await eventually(async () => (await desk.take(`${queue}.dead`)) ?? false);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const [first, second, third] = attempts.map(({ atMs }) => atMs);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(45);
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(95);
    expect(dead.properties.messageId).toBe(messageId);
    expect(dead.properties.type).toBe('sociograph.parser.call-requested.v1');
    expect(dead.properties.contentType).toBe('application/json');
    expect(dead.properties.deliveryMode).toBe(2);
    expect(JSON.parse(dead.content.toString())).toEqual(call);
    expect(dead.properties.headers).toMatchObject({
      own: 'kept',
      'x-attempt': 3,
      'x-code': 'SPEC.FAILED',
      'x-reason': 'as the spec wants',
    });
    expect(Object.keys(dead.properties.headers ?? {})).not.toContain('x-death');
    expect(await desk.take(queue)).toBeUndefined();
  });

  it('waits out a passing fault on the first rung and is done on the second attempt', async () => {
    const queue = await aQueue();
    const attempts: number[] = [];
    await consume(queue, async (_payload, { attempt }) => {
      attempts.push(attempt);
      if (attempt === 1) throw new TypeError('nobody classified this');
    });
    await publisher.publish({ queue, message: callRequested, value: call });
    await eventually(() => attempts.length === 2);
    expect(attempts).toEqual([1, 2]);
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
    for (const name of [queue, `${queue}.dead`, `${queue}.retry.a`, `${queue}.retry.b`]) {
      expect(await desk.take(name)).toBeUndefined();
    }
  });

  it('drops a task that is out of date and kills at once one that can only fail', async () => {
    const queue = await aQueue();
    let calls = 0;
    await consume(queue, async (payload) => {
      calls += 1;
      await failing((payload as { importId: string }).importId as ErrorKind)();
    });
    for (const importId of ['precondition-failed', 'forbidden']) {
      await publisher.publish({ queue, message: callRequested, value: { ...call, importId } });
    }
    const dead = await eventually(async () => (await desk.take(`${queue}.dead`)) ?? false);
    expect(dead.properties.headers).toMatchObject({ 'x-attempt': 1, 'x-code': 'SPEC.FAILED' });
    expect(calls).toBe(2);
    expect(await desk.take(`${queue}.dead`)).toBeUndefined();
  });

  it('moves messages that are no tasks to the dead queue without calling the handler', async () => {
    const queue = await aQueue();
    let calls = 0;
    await consume(queue, async () => {
      calls += 1;
    });
    const send = (content: string, messageId?: string): void => {
      desk.channel.publish(
        EXCHANGES.tasks,
        queue,
        Buffer.from(content),
        messageId === undefined ? {} : { messageId },
      );
    };
    send('{broken', 'm-1');
    send(JSON.stringify({ ...call, network: 'NOT A NETWORK' }), 'm-2');
    send(JSON.stringify(call));
    const codes = new Map<unknown, unknown>();
    await eventually(async () => {
      const dead = await desk.take(`${queue}.dead`);
      if (dead !== undefined) codes.set(dead.properties.messageId, dead.properties.headers?.['x-code']);
      expect(codes.size).toBe(3);
    });
    expect([...codes.values()].sort()).toEqual(['TASK.ID_MISSING', 'TASK.INVALID', 'TASK.NOT_JSON']);
    expect(codes.get('m-1')).toBe('TASK.NOT_JSON');
    expect(codes.get('m-2')).toBe('TASK.INVALID');
    expect(calls).toBe(0);
  });

  it('has its effect once when a task arrives twice', async () => {
    const queue = await aQueue();
    const database = await specDatabase(inboxTableSql, 'CREATE TABLE effects (id serial)');
    let deliveries = 0;
    await consume(queue, async (_payload, { messageId }) => {
      deliveries += 1;
      await database.postgres.tx(async (q) => {
        if (await Inbox.once(q, 'spec', messageId)) await q.query('INSERT INTO effects DEFAULT VALUES');
      });
    });
    for (let copy = 0; copy < 3; copy += 1) {
      await publisher.publish({ queue, message: callRequested, value: call, messageId: `${queue}-same` });
    }
    await eventually(() => deliveries === 3);
    await eventually(async () => {
      const { rows } = await database.postgres.query<{ n: number }>('SELECT count(*) AS n FROM effects');
      expect(rows).toEqual([{ n: 1 }]);
    });
    const rolledBack = database.postgres.tx(async (q) => {
      expect(await Inbox.once(q, 'spec', 'other')).toBe(true);
      throw new Error('undo');
    });
    await expect(rolledBack).rejects.toThrow('undo');
    expect(await Inbox.once(database.postgres, 'spec', 'other')).toBe(true);
    expect(await Inbox.once(database.postgres, 'another', 'other')).toBe(true);
    expect(await Inbox.forget(database.postgres, 1)).toBe(0);
    await database.postgres.query(
      "UPDATE inbox SET received_at = now() - interval '25 hours' WHERE consumer = 'another'",
    );
    expect(await Inbox.forget(database.postgres, 1)).toBe(1);
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
    await database.drop();
  });

  it('reports a task that no queue takes, and one that does not fit its schema', async () => {
    await expect(
      publisher.publish({ queue: 'nobody.has.this.queue', message: callRequested, value: call }),
    ).rejects.toMatchObject({
      code: 'RABBIT.UNROUTABLE',
      kind: 'unavailable',
      facts: { exchange: EXCHANGES.tasks, routingKey: 'nobody.has.this.queue' },
    });
    await expect(
      publisher.publish({ queue: 'any', message: callRequested, value: { ...call, network: '' } }),
    ).rejects.toMatchObject({ code: 'TASK.INVALID', kind: 'bug', facts: { path: 'network' } });
  });

  it('holds no more tasks at once than its prefetch', async () => {
    const queue = await aQueue();
    const open: (() => void)[] = [];
    let most = 0;
    let done = 0;
    await consume(
      queue,
      async () => {
        await new Promise<void>((resolve) => {
          open.push(resolve);
          most = Math.max(most, open.length);
        });
        done += 1;
      },
      { prefetch: 3 },
    );
    await Promise.all(
      Array.from({ length: 12 }, () => publisher.publish({ queue, message: callRequested, value: call })),
    );
    // What is not given out lies in the queue.
    await eventually(async () => (await desk.channel.checkQueue(queue)).messageCount === 9);
    await eventually(() => open.length === 3);
    await eventually(() => {
      for (const finish of open.splice(0)) finish();
      return done === 12;
    });
    expect(most).toBe(3);
  });

  it('gives a task out again when its receiver is gone, and resumes within 10 s of a cut', async () => {
    const queue = await aQueue();
    const proxy = await rabbitProxy();
    const fragile = managedConnection(proxy);
    const fragilePublisher = new TaskPublisher(fragile, logger);
    const seen: { id: string; redelivered: boolean }[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await consume(
      queue,
      async (_payload, { messageId, redelivered }) => {
        seen.push({ id: messageId, redelivered });
        await held;
      },
      {},
      fragile,
    );
    const first = await publisher.publish({ queue, message: callRequested, value: call });
    await eventually(() => seen.length === 1);
    proxy.cut();
    release();
    const again = (): Promise<string> =>
      eventually(() => fragilePublisher.publish({ queue, message: callRequested, value: call }, 10_000));
    const second = await again();
    await eventually(() => seen.some(({ id }) => id === second));
    await eventually(() => seen.filter(({ id }) => id === first).length === 2);
    expect(seen[0]).toEqual({ id: first, redelivered: false });
    expect(seen.filter(({ id }) => id === first)[1]).toEqual({ id: first, redelivered: true });

    proxy.refuse();
    await eventually(() => proxy.connections === 0);
    await expect(
      fragilePublisher.publish({ queue, message: callRequested, value: call }, 500),
    ).rejects.toMatchObject({ code: 'RABBIT.UNAVAILABLE', kind: 'unavailable', retryAfterSeconds: 1 });
    proxy.restore();
    const third = await again();
    await eventually(() => seen.some(({ id }) => id === third));
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
    await fragilePublisher.close();
    await fragile.close();
    await proxy.close();
  });

  it('opens its channel again when the queue is deleted under it', async () => {
    const queue = await aQueue();
    let done = 0;
    const lines: string[] = [];
    const noted = createLogger({
      service: 'spec',
      instance: '0',
      level: 'warn',
      destination: { write: (line: string) => void lines.push(line) },
    });
    const count = async (): Promise<void> => {
      done += 1;
    };
    await consume(queue, count, { logger: noted });
    await desk.channel.deleteQueue(queue);
    // A queue that is declared again at once goes unnoticed by RabbitMQ 3.10's own cancellation.
    await eventually(() => lines.some((line) => line.includes('the channel cannot be opened yet')));
    await desk.declareTasks(queue, LADDER);
    await publisher.publish({ queue, message: callRequested, value: call });
    await eventually(() => done === 1);
  });

  it('finishes what it has in hand when it is closed', async () => {
    const queue = await aQueue();
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const consumer = await consume(queue, async () => {
      order.push('begun');
      await held;
      order.push('finished');
    });
    await publisher.publish({ queue, message: callRequested, value: call });
    await eventually(() => order.length === 1);
    const closed = consumer.close().then(() => order.push('closed'));
    await roundTrips(queue);
    finish();
    await closed;
    expect(order).toEqual(['begun', 'finished', 'closed']);
    expect(await desk.take(queue)).toBeUndefined();
  });

  it('finds @TaskHandler methods of a Nest application and closes them with it', async () => {
    const queue = await aQueue();
    const seen: TaskContext[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));

    @Injectable()
    class MakeCall {
      @TaskHandler({ queue, message: callRequested, ladder: LADDER })
      async onTask(_payload: unknown, task: TaskContext): Promise<void> {
        seen.push(task);
        if (seen.length > 1) await held;
      }
    }

    const metrics = new Metrics({ service: 'spec', instance: '0', processMetrics: false });
    @Module({
      imports: [rabbitModule({ url: rabbitUrl(), prefetch: 2, logger, metrics })],
      providers: [MakeCall],
    })
    class SpecModule {}

    const module = await Test.createTestingModule({ imports: [SpecModule] }).compile();
    module.useLogger(false);
    const app = await module.init();
    await app.get(TaskHandlers).consuming();
    await app.get(TaskPublisher).publish({ queue, message: callRequested, value: call });
    await eventually(() => seen.length === 1);
    await eventually(async () => {
      expect(await metrics.registry.metrics()).toContain(`queue="${queue}",outcome="done"`);
    });
    // A task in hand is finished and acknowledged before the connection goes.
    await publisher.publish({ queue, message: callRequested, value: call });
    await eventually(() => seen.length === 2);
    const closed = app.close();
    await roundTrips(queue);
    release();
    await closed;
    expect(await desk.take(queue)).toBeUndefined();
    await publisher.publish({ queue, message: callRequested, value: call });
    expect((await desk.take(queue))?.properties.type).toBe('sociograph.parser.call-requested.v1');
    expect(seen).toHaveLength(2);
  });
});
