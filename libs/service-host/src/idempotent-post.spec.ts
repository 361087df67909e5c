import { Body, Controller, HttpCode, Module, Post, Res, UseInterceptors } from '@nestjs/common';
import {
  DomainError,
  IdempotencyStore,
  type IdempotencyAnswer,
  type IdempotencyClaim,
  type IdempotencyRequest,
} from '@sociograph/kernel';
import { IsInt } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { IdempotentPost } from './idempotent-post';
import { startService, type ServiceHandle } from './start-service';

/** Keeps answers for ever and can be told to fail. */
class MemoryStore extends IdempotencyStore {
  readonly kept = new Map<string, { request: IdempotencyRequest; answer?: IdempotencyAnswer }>();
  failsToComplete = false;

  override claim(request: IdempotencyRequest): Promise<IdempotencyClaim> {
    const id = `${request.operation} ${request.key}`;
    const known = this.kept.get(id);
    if (known === undefined) {
      this.kept.set(id, { request });
      return Promise.resolve({ kind: 'first' });
    }
    if (known.request.bodyHash !== request.bodyHash) return Promise.resolve({ kind: 'different-body' });
    return Promise.resolve(
      known.answer === undefined ? { kind: 'in-progress' } : { kind: 'repeat', answer: known.answer },
    );
  }

  override complete(request: IdempotencyRequest, answer: IdempotencyAnswer): Promise<void> {
    if (this.failsToComplete) return Promise.reject(new Error('away'));
    this.kept.set(`${request.operation} ${request.key}`, { request, answer });
    return Promise.resolve();
  }

  override release(request: IdempotencyRequest): Promise<void> {
    this.kept.delete(`${request.operation} ${request.key}`);
    return Promise.resolve();
  }
}

class Order {
  @IsInt()
  a!: number;

  @IsInt()
  b!: number;
}

let made = 0;
let gate: Promise<void> = Promise.resolve();

@Controller('v1/orders')
class OrdersController {
  @Post()
  @UseInterceptors(IdempotentPost)
  async create(@Body() order: Order, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    await gate;
    made += 1;
    if (order.a < 0) throw new DomainError({ code: 'A.B', kind: 'conflict', message: 'No.' });
    void reply.header('location', `/v1/orders/${made}`);
    return { made, sum: order.a + order.b };
  }

  @Post('later')
  @HttpCode(202)
  @UseInterceptors(IdempotentPost)
  later(@Body() order: Order): unknown {
    made += 1;
    return { made, order };
  }
}

const store = new MemoryStore();

@Module({ controllers: [OrdersController], providers: [{ provide: IdempotencyStore, useValue: store }] })
class OrdersModule {}

describe('a creating POST', () => {
  let service: ServiceHandle;

  beforeAll(async () => {
    const config = {
      SERVICE_NAME: 'orders',
      INSTANCE_ID: '0',
      LOG_LEVEL: 'silent',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
      MANAGEMENT_PORT: 0,
      HTTP_NOTICE_MS: 0,
    };
    service = await startService({
      module: OrdersModule,
      config,
      openApi: { title: 'Orders' },
      ownsProcess: false,
    });
  });
  afterAll(() => service.close());
  beforeEach(() => {
    made = 0;
    gate = Promise.resolve();
    store.kept.clear();
    store.failsToComplete = false;
  });

  async function post(
    body: string,
    key?: string,
    path = '',
  ): Promise<{ status: number; body: unknown; headers: Headers }> {
    const response = await fetch(`${service.url}/v1/orders${path}`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
    });
    return { status: response.status, body: await response.json(), headers: response.headers };
  }

  it('is carried out each time without a key', async () => {
    await post('{"a":1,"b":2}');
    expect((await post('{"a":1,"b":2}')).body).toEqual({ made: 2, sum: 3 });
    expect(store.kept.size).toBe(0);
  });

  it('is carried out once for a key, and answered the same, headers included', async () => {
    const first = await post('{"a":1,"b":2}', 'k');
    const again = await post('{"b":2,"a":1}', 'k');
    expect([again.status, again.body, again.headers.get('location')]).toEqual([
      201,
      { made: 1, sum: 3 },
      '/v1/orders/1',
    ]);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(made).toBe(1);
  });

  it('keeps the status that its route answers with', async () => {
    await post('{"a":1,"b":2}', 'k', '/later');
    expect([...store.kept.values()][0]?.answer).toMatchObject({ status: 202, headers: {} });
    expect((await post('{"a":1,"b":2}', 'k', '/later')).status).toBe(202);
  });

  it('takes one key for two operations as two requests', async () => {
    await post('{"a":1,"b":2}', 'k');
    expect((await post('{"a":1,"b":2}', 'k', '/later')).body).toMatchObject({ made: 2 });
    expect([...store.kept.values()].map(({ request }) => request.operation)).toEqual([
      'POST /v1/orders',
      'POST /v1/orders/later',
    ]);
  });

  it('is refused with 422 when the key came with another body', async () => {
    await post('{"a":1,"b":2}', 'k');
    expect(await post('{"a":1,"b":3}', 'k')).toMatchObject({
      status: 422,
      body: { code: 'REQUEST.KEY_REUSED' },
    });
  });

  it('is refused with 409 while the first one is under way', async () => {
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const first = post('{"a":1,"b":2}', 'k');
    while (store.kept.size === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await post('{"a":1,"b":2}', 'k')).toMatchObject({
      status: 409,
      body: { code: 'REQUEST.IN_PROGRESS' },
    });
    open();
    expect((await first).status).toBe(201);
  });

  it('may be repeated after a failure', async () => {
    expect((await post('{"a":-1,"b":2}', 'k')).status).toBe(409);
    expect((await post('{"a":-1,"b":2}', 'k')).body).toMatchObject({ code: 'A.B' });
    expect(made).toBe(2);
  });

  it('succeeds even if its answer cannot be kept', async () => {
    store.failsToComplete = true;
    expect((await post('{"a":1,"b":2}', 'k')).status).toBe(201);
  });

  it.each(['', 'a b', 'x'.repeat(129)])('is refused with the key %p', async (key) => {
    expect(await post('{"a":1,"b":2}', key)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'Idempotency-Key', message: 'must be 1 to 128 visible ASCII characters' }] },
    });
  });
});
