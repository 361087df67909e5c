import { Controller, Get, Module, Post, type DynamicModule, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { request } from 'node:http';
import { startService, type ServiceHandle } from '@sociograph/service-host';
import { aSigningKey, claims, ISSUER, JwksServer, sign } from '../test/realm';
import { CurrentPrincipal, CurrentToken, Public, Roles } from './access';
import { AuthModule } from './auth.module';
import type { Principal } from './principal';
import { Revocations } from './revocations';
import { TokenGuard } from './token-guard';
import type { TokenLife } from './token-life';

@Controller('v1/doors')
@Roles('viewer', 'analyst')
class DoorsController {
  @Get()
  list(@CurrentPrincipal() principal: Principal): unknown {
    return { subject: principal.subject, workspaceId: principal.workspaceId };
  }

  @Post()
  @Roles('admin')
  create(): unknown {
    return {};
  }

  @Get('open')
  @Public()
  open(@CurrentPrincipal() principal: Principal | undefined): unknown {
    return { principal: principal ?? null };
  }

  @Get('open-long')
  async openLong(
    @CurrentToken() token: TokenLife,
    @CurrentPrincipal() { subject }: Principal,
  ): Promise<unknown> {
    const before = await token.isTakenBack();
    revocations.since.set(subject, 1e10);
    return { expiresAt: token.expiresAt, isTakenBack: [before, await token.isTakenBack()] };
  }

  @Get('fleet')
  @Roles('platform-operator')
  fleet(@CurrentPrincipal() principal: Principal): unknown {
    return { subject: principal.subject };
  }
}

@Controller('v1/undeclared')
class UndeclaredController {
  @Get()
  list(): unknown {
    return {};
  }
}

class RevokedSince extends Revocations {
  readonly since = new Map<string, number>();

  override earliestAcceptedIat(subject: string): Promise<number | undefined> {
    return Promise.resolve(this.since.get(subject));
  }
}

const key = aSigningKey('k1');
const jwks = new JwksServer();
const revocations = new RevokedSince();

@Module({ controllers: [DoorsController, UndeclaredController] })
class DoorsModule {
  static with(jwksUrl: string): DynamicModule {
    const auth = {
      issuer: ISSUER,
      jwksUrl,
      audience: 'sociograph-api',
      clients: ['sociograph-demo'],
      revocations,
    };
    return { module: DoorsModule, imports: [AuthModule.forRoot(auth)] };
  }
}

describe('the guard of every route', () => {
  let service: ServiceHandle;

  beforeAll(async () => {
    jwks.keys = [key.jwk];
    service = await startService({
      module: DoorsModule.with(await jwks.start()),
      config: {
        SERVICE_NAME: 'doors',
        INSTANCE_ID: '0',
        LOG_LEVEL: 'silent',
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: 0,
        MANAGEMENT_PORT: 0,
        HTTP_NOTICE_MS: 0,
      },
      openApi: { title: 'Doors' },
      ownsProcess: false,
    });
  });
  afterAll(async () => {
    await service.close();
    jwks.stop();
  });

  async function call(
    path: string,
    token?: string,
    method = 'GET',
  ): Promise<{ status: number; code?: string; body: unknown }> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${service.url}/v1/${path}`, { method, headers });
    const body = (await response.json()) as { code?: string };
    return { status: response.status, body, ...(body.code === undefined ? {} : { code: body.code }) };
  }

  it('lets a role of the list in and tells the handler who calls', async () => {
    const payload = claims({ realm_access: { roles: ['viewer'] } });
    const body = { subject: payload['sub'], workspaceId: 'demo' };
    expect(await call('doors', sign(key, payload))).toEqual({ status: 200, body });
    expect((await call('doors', sign(key, claims({ realm_access: { roles: ['analyst'] } })))).status).toBe(
      200,
    );
  });

  it('asks for a token', async () => {
    const response = await fetch(`${service.url}/v1/doors`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="sociograph"');
    expect(await response.json()).toMatchObject({ code: 'AUTH.TOKEN_MISSING' });
  });

  it("lets the method's list replace the controller's", async () => {
    const viewer = await call('doors', sign(key, claims({ realm_access: { roles: ['viewer'] } })), 'POST');
    expect(viewer).toMatchObject({ status: 403, code: 'AUTH.ROLE_MISSING' });
    expect(
      (await call('doors', sign(key, claims({ realm_access: { roles: ['admin'] } })), 'POST')).status,
    ).toBe(201);
  });

  it('names the roles that would do', async () => {
    const { body } = await call('doors', sign(key, claims({ realm_access: { roles: [] } })));
    expect(body).toMatchObject({ status: 403, detail: 'This needs the role viewer or analyst.' });
  });

  it('opens public routes without looking at a token', async () => {
    expect(await call('doors/open')).toEqual({ status: 200, body: { principal: null } });
    expect((await call('doors/open', 'a.b.c')).status).toBe(200);
  });

  it('keeps a route that declares nothing shut, even for an admin', async () => {
    const admin = sign(key, claims({ realm_access: { roles: ['admin', 'platform-operator'] } }));
    expect(await call('undeclared', admin)).toMatchObject({
      status: 403,
      code: 'AUTH.NOT_DECLARED',
      body: { detail: 'This address is open to nobody.' },
    });
  });

  it('refuses a token without workspace, except to a platform operator on a route of the platform', async () => {
    const lost = sign(key, claims({ workspace_id: undefined }));
    expect(await call('doors', lost)).toMatchObject({ status: 403, code: 'AUTH.NO_WORKSPACE' });
    const roles = ['viewer', 'platform-operator'];
    const operator = sign(key, claims({ workspace_id: undefined, realm_access: { roles } }));
    expect((await call('doors/fleet', operator)).status).toBe(200);
    expect(await call('doors', operator)).toMatchObject({ status: 403, code: 'AUTH.NO_WORKSPACE' });
    expect(await call('doors/fleet', sign(key))).toMatchObject({ status: 403, code: 'AUTH.ROLE_MISSING' });
  });

  it('refuses tokens issued before the subject was revoked', async () => {
    const payload = claims({ sub: 'revoked-one' });
    const iat = payload['iat'] as number;
    revocations.since.set('revoked-one', iat);
    expect((await call('doors', sign(key, payload))).status).toBe(200);
    revocations.since.set('revoked-one', iat + 1);
    expect(await call('doors', sign(key, payload))).toMatchObject({
      status: 401,
      code: 'AUTH.TOKEN_REFUSED',
      body: { detail: 'The token was revoked.' },
    });
    expect((await call('doors', sign(key, claims({ sub: 'another' })))).status).toBe(200);
  });

  it('tells an answer that lasts when its token expires, and that it was taken back meanwhile', async () => {
    const payload = claims({ sub: 'lasting' });
    expect(await call('doors/open-long', sign(key, payload))).toEqual({
      status: 200,
      body: { expiresAt: (payload['exp'] as number) * 1_000, isTakenBack: [false, true] },
    });
  });

  it('refuses two Authorization headers, of which Node shows one', async () => {
    const token = `Bearer ${sign(key)}`;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const { hostname, port } = new URL(service.url);
      const raw = ['Host', 'x', 'Authorization', token, 'Authorization', token];
      request({ hostname, port, path: '/v1/doors', headers: raw as never })
        .once('response', (res) => resolve(res.resume().statusCode))
        .once('error', reject)
        .end();
    });
    expect(status).toBe(401);
  });

  it('trusts no other header', async () => {
    const response = await fetch(`${service.url}/v1/doors`, {
      headers: { 'x-consumer-id': 'admin', 'x-userinfo': 'e30=', 'x-workspace-id': 'demo' },
    });
    expect(response.status).toBe(401);
  });

  it('counts refusals by reason', async () => {
    const counter = service.ctx.metrics.registry.getSingleMetric('auth_tokens_refused_total');
    const before = await counter?.get();
    await call('doors', sign(key, claims({ azp: 'evil' })));
    const of = (state: typeof before): number =>
      state?.values.find((value) => value.labels['reason'] === 'client')?.value ?? 0;
    expect(of(await counter?.get()) - of(before)).toBe(1);
  });

  it('refuses a key that it does not know while Keycloak is away, and goes on with those that it knows', async () => {
    jwks.status = 500;
    const [unknown, known] = [await call('doors', sign(aSigningKey('k9'))), await call('doors', sign(key))];
    jwks.status = 200;
    expect(unknown).toMatchObject({ status: 401, code: 'AUTH.TOKEN_REFUSED' });
    expect(known.status).toBe(200);
  });

  it('does not concern handlers of messages', async () => {
    const guard = new TokenGuard(new Reflector(), {} as never);
    expect(await guard.canActivate({ getType: () => 'rmq' } as unknown as ExecutionContext)).toBe(true);
  });
});
