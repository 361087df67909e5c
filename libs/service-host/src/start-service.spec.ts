import { Body, Controller, Get, HttpCode, Module, Param, Post, Query } from '@nestjs/common';
import { DomainError } from '@sociograph/kernel';
import { createLogger, currentCorrelationId, currentTraceparent } from '@sociograph/observability';
import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { IdParam, PageQuery } from './paging';
import type { Problem } from './problem';
import { startService, type ServiceHandle } from './start-service';

class Limits {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1000)
  people?: number;
}

class CreateImport {
  @IsString()
  network!: string;

  @IsArray()
  @ArrayNotEmpty()
  @IsString({ each: true })
  seeds!: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Limits)
  limits?: Limits;
}

@Controller('v1/things')
class ThingsController {
  @Post()
  @HttpCode(202)
  create(@Body() body: CreateImport): unknown {
    return {
      body,
      isLimits: body.limits instanceof Limits,
      correlationId: currentCorrelationId(),
      trace: currentTraceparent(),
    };
  }

  @Post('pause')
  pause(): unknown {
    return { paused: true };
  }

  @Get()
  list(@Query() query: PageQuery): unknown {
    return query;
  }

  @Get('fail/:how')
  fail(@Param('how') how: string): never {
    if (how === 'bug') throw new Error('a secret detail');
    if (how === 'refused') throw Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    if (how === 'later')
      throw new DomainError({ code: 'A.B', kind: 'unavailable', message: 'Later.', retryAfterSeconds: 7 });
    throw new DomainError({ code: 'A.C', kind: 'conflict', message: 'No.' });
  }

  @Get(':id')
  one(@Param() params: IdParam): unknown {
    return params;
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

describe('the REST edge of a service', () => {
  const lines: Record<string, unknown>[] = [];
  let service: ServiceHandle;

  beforeAll(async () => {
    const logger = createLogger({
      service: 'things',
      instance: '0',
      level: 'info',
      destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    });
    const config = {
      SERVICE_NAME: 'things',
      INSTANCE_ID: '0',
      LOG_LEVEL: 'info',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
      MANAGEMENT_PORT: 0,
    };
    service = await startService({
      module: ThingsModule,
      config,
      logger,
      openApi: { title: 'Things' },
      ownsProcess: false,
    });
  });
  afterAll(() => service.close());
  beforeEach(() => void lines.splice(0));

  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${service.url}/v1/things`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });

  async function problem(response: Response): Promise<Problem> {
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    const body = (await response.json()) as Problem;
    expect(body.status).toBe(response.status);
    expect(body.instance).toBe(response.headers.get('x-correlation-id'));
    return body;
  }

  it('gives a valid body to the handler as instances of its classes', async () => {
    const response = await post('{"network":"vk","seeds":["1"],"limits":{"people":5}}');
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ isLimits: true, body: { limits: { people: 5 } } });
  });

  it.each([
    ['a nested field', '{"network":"vk","seeds":["1"],"limits":{"people":0}}', ['limits.people']],
    ['an unknown field', '{"network":"vk","seeds":["1"],"colour":1}', ['colour']],
    ['an unknown nested field', '{"network":"vk","seeds":["1"],"limits":{"x":1}}', ['limits.x']],
    ['missing fields', '{}', ['network', 'seeds']],
    ['a wrong type', '{"network":5,"seeds":"1"}', ['network', 'seeds']],
    ['a nested value of the wrong kind', '{"network":"vk","seeds":["1"],"limits":7}', ['limits']],
    ['an array as body', '[]', ['network', 'seeds']],
    ['a text as body', '"vk"', ['network', 'seeds']],
    ['null as body', 'null', ['network', 'seeds']],
    ['a body that is no JSON', '{"network":', ['body']],
    ['a poisoned prototype', '{"__proto__":{"a":1}}', ['body']],
    ['U+0000', '{"network":"v\\u0000k","seeds":["1"]}', ['body']],
  ])('answers 400 naming the field for %s', async (_what, body, fields) => {
    const answer = await problem(await post(body));
    expect(answer).toMatchObject({ status: 400, type: 'https://sociograph.dev/problems/invalid-input' });
    expect(answer.errors?.map((fault) => fault.field)).toEqual(fields);
  });

  it('answers 413 for a body above 1 MB and takes one of exactly 1 MB', async () => {
    const frame = JSON.stringify({ network: '', seeds: ['1'] }).length;
    const fits = JSON.stringify({ network: 'x'.repeat(1_048_576 - frame), seeds: ['1'] });
    expect((await post(fits)).status).toBe(202);
    const answer = await problem(await post(`${fits} `));
    expect(answer).toMatchObject({ status: 413, code: 'REQUEST.BODY_TOO_LARGE' });
  });

  it('answers probes of the gateway, and neither logs nor measures them', async () => {
    const response = await fetch(`${service.url}/health/live`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'up' }]);
    expect(lines.filter((line) => line['msg'] === 'request answered')).toEqual([]);
    expect(await (await fetch(`${service.managementUrl}/metrics`)).text()).not.toContain('/health/live');
  });

  it('answers 415 for a body of another type', async () => {
    const answer = await problem(
      await post('network=vk', { 'content-type': 'application/x-www-form-urlencoded' }),
    );
    expect(answer).toMatchObject({ status: 415, code: 'REQUEST.MEDIA_TYPE' });
  });

  it('takes an empty body under a JSON header as no body', async () => {
    const response = await fetch(`${service.url}/v1/things/pause`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(201);
  });

  it.each([
    ['/v1/nowhere', 404, 'REQUEST.NOT_FOUND'],
    ['/v1/things/not-a-uuid', 400, 'REQUEST.INVALID'],
    ['/v1/things/%zz', 400, 'REQUEST.BAD_PATH'],
    ['/v1/things/%00', 400, 'REQUEST.INVALID'],
    ['/v1/things?limit=201', 400, 'REQUEST.INVALID'],
    ['/v1/things?limit=0', 400, 'REQUEST.INVALID'],
    ['/v1/things?limit=1.5', 400, 'REQUEST.INVALID'],
    ['/v1/things?limit=many', 400, 'REQUEST.INVALID'],
    ['/v1/things?limit=1&limit=2', 400, 'REQUEST.INVALID'],
    ['/v1/things?colour=red', 400, 'REQUEST.INVALID'],
    ['/v1/things?cursor=a/b', 400, 'REQUEST.INVALID'],
  ])('answers %s with %d %s', async (path, status, code) => {
    expect(await problem(await fetch(service.url + path))).toMatchObject({ status, code });
  });

  it.each([
    ['/v1/things/%00', 'path'],
    ['/v1/things/a%00b?limit=1', 'path'],
    ['/v1/things?cursor=%00', 'query'],
  ])('names where %s holds U+0000', async (path, field) => {
    const { errors } = await problem(await fetch(service.url + path));
    expect(errors).toEqual([{ field, message: 'must not contain %00' }]);
  });

  it('gives a list 50 rows unless asked for at most 200', async () => {
    expect(await (await fetch(`${service.url}/v1/things`)).json()).toEqual({ limit: 50 });
    expect(await (await fetch(`${service.url}/v1/things?limit=200`)).json()).toEqual({ limit: 200 });
  });

  it('shows nothing of an unexpected error and logs it once', async () => {
    const answer = await problem(await fetch(`${service.url}/v1/things/fail/bug`));
    expect(answer).toMatchObject({ status: 500, code: 'SERVER.INTERNAL' });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(lines.filter((line) => line['msg'] === 'request failed')).toHaveLength(1);
  });

  it('answers 503 with Retry-After when a server is away', async () => {
    const later = await fetch(`${service.url}/v1/things/fail/later`);
    expect(later.headers.get('retry-after')).toBe('7');
    expect(await problem(later)).toMatchObject({ status: 503, code: 'A.B', detail: 'Later.' });
    const refused = await fetch(`${service.url}/v1/things/fail/refused`);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await problem(refused)).toMatchObject({ status: 503, code: 'SERVER.UNAVAILABLE' });
  });

  it('keeps a harmless correlation id through the body, and replaces any other', async () => {
    const body = '{"network":"vk","seeds":["1"]}';
    const kept = await post(body, { 'x-correlation-id': 'abc.DEF_1-2' });
    expect(kept.headers.get('x-correlation-id')).toBe('abc.DEF_1-2');
    expect(await kept.json()).toMatchObject({ correlationId: 'abc.DEF_1-2' });
    const replaced = await post(body, { 'x-correlation-id': 'a b' });
    expect(replaced.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("continues the caller's trace", async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const response = await post('{"network":"vk","seeds":["1"]}', {
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    });
    const { trace } = (await response.json()) as { trace: string };
    expect(trace).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(trace).not.toContain('b7ad6b7169203331');
  });

  it('writes one line and one observation per request, under the route and not the path', async () => {
    await fetch(`${service.url}/v1/things/8f14e45f-ceea-467f-a0e6-bd2f3a3c6d11`);
    expect(lines.filter((line) => line['msg'] === 'request answered')).toEqual([
      expect.objectContaining({ method: 'GET', route: '/v1/things/:id', status: 200 }),
    ]);
    const metrics = await (await fetch(`${service.managementUrl}/metrics`)).text();
    expect(metrics).toContain(
      'http_server_request_duration_seconds_count{service="things",instance="0",method="GET",route="/v1/things/:id",status="200"} 1',
    );
  });

  it('answers bytes that are no HTTP with 400', async () => {
    const { port, hostname } = new URL(service.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('HELO\r\n\r\n'));
      socket
        .setEncoding('utf8')
        .once('data', (text) => resolve(String(text)))
        .once('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).toContain('REQUEST.BAD_HTTP');
  });

  const startOther = (noticeMs = 500): Promise<ServiceHandle> =>
    startService({
      module: ThingsModule,
      config: {
        SERVICE_NAME: 'other',
        INSTANCE_ID: '0',
        LOG_LEVEL: 'silent',
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: 0,
        MANAGEMENT_PORT: 0,
        HTTP_NOTICE_MS: noticeMs,
      },
      openApi: { title: 'Other' },
      ownsProcess: false,
    });

  it('answers what comes on a kept connection while it stops, and says that the connection ends', async () => {
    const other = await startOther();
    const { port } = new URL(other.url);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const pause = (): Promise<{
      status: number | undefined;
      connection: string | undefined;
      kept: boolean;
    }> =>
      new Promise((resolve, reject) => {
        const req = request({ host: '127.0.0.1', port, path: '/v1/things/pause', method: 'POST', agent });
        req.once('error', reject).once('response', (res) => {
          const { connection } = res.headers;
          res.resume().once('end', () => {
            resolve({ status: res.statusCode, connection, kept: req.reusedSocket });
          });
        });
        req.end();
      });
    expect(await pause()).toEqual({ status: 201, connection: 'keep-alive', kept: false });
    await new Promise((resolve) => setImmediate(resolve));
    const stopped = other.close();
    expect(await pause()).toEqual({ status: 201, connection: 'close', kept: true });
    await stopped;
    await expect(pause()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    agent.destroy();
  });

  it('tells a probe that it stops before it takes no more connections', async () => {
    const other = await startOther(2_000);
    const probe = async (): Promise<unknown[]> => {
      const answer = await fetch(`${other.url}/health/live`, { headers: { connection: 'close' } });
      return [answer.status, await answer.json()];
    };
    expect(await probe()).toEqual([200, { status: 'up' }]);
    const stopped = other.close();
    expect(await probe()).toEqual([503, { status: 'stopping' }]);
    const made = await fetch(`${other.url}/v1/things/pause`, { method: 'POST' });
    expect([made.status, made.headers.get('connection')]).toEqual([201, 'close']);
    await stopped;
    await expect(probe()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('takes no new connection where nobody is to notice', async () => {
    const other = await startOther(0);
    await other.close();
    await expect(fetch(other.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('closes connections on which nothing ever came when it stops', async () => {
    const other = await startOther();
    const taken = once(other.app.getHttpServer(), 'connection');
    const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
    await Promise.all([once(socket, 'connect'), taken]);
    const ended = once(socket.resume(), 'close');
    await other.close();
    await ended;
  });

  it('finishes a request that is under way while it stops, says that its connection ends, and takes no new one', async () => {
    const other = await startOther();
    const { port } = new URL(other.url);
    const body = '{"network":"vk","seeds":["1"]}';
    const answered = new Promise<unknown[]>((resolve, reject) => {
      const req = request({
        host: '127.0.0.1',
        port,
        path: '/v1/things',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': body.length },
      });
      req.once('error', reject).once('response', (res) => {
        resolve([res.resume().statusCode, res.headers.connection]);
      });
      req.write(body.slice(0, 5), () => {
        setImmediate(() => {
          void other.close();
          req.end(body.slice(5));
        });
      });
    });
    expect(await answered).toEqual([202, 'close']);
    await other.close();
    await expect(fetch(`${other.url}/v1/things`)).rejects.toThrow();
    await expect(fetch(`${other.managementUrl}/metrics`)).rejects.toThrow();
  });
});
