import { Controller, Get, Module, type DynamicModule } from '@nestjs/common';
import { SystemClock } from '@sociograph/kernel';
import { startService, type ServiceHandle } from '@sociograph/service-host';
import { claimsOf, keyIdOf } from '../src/bearer-token';
import {
  AuthModule,
  CurrentPrincipal,
  KeySet,
  Roles,
  TokenVerifier,
  type AuthOptions,
  type Principal,
} from '../src';
import { jwksOver } from '../src/key-set';
import { encode } from './realm';

@Controller('v1/whoami')
class WhoAmIController {
  @Get()
  @Roles('viewer')
  read(@CurrentPrincipal() principal: Principal): unknown {
    return { ...principal };
  }

  @Get('fleet')
  @Roles('platform-operator')
  fleet(): unknown {
    return {};
  }
}

@Module({ controllers: [WhoAmIController] })
class WhoAmIModule {
  static with(options: AuthOptions): DynamicModule {
    return { module: WhoAmIModule, imports: [AuthModule.forRoot(options)] };
  }
}

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(
      `${name} is not set: start the test stack first (npm run up -- --stack test --servers-only)`,
    );
  }
  return value;
}

type TokenAnswer = { access_token?: string; id_token?: string; error?: string };

describe('tokens of the real Keycloak', () => {
  let options: AuthOptions;
  let service: ServiceHandle;
  let access: string;

  async function ask(form: Record<string, string>): Promise<{ status: number; body: TokenAnswer }> {
    const url = `${needed('KEYCLOAK_URL')}/realms/${needed('KEYCLOAK_REALM')}/protocol/openid-connect/token`;
    const client = { client_id: needed('DEMO_CLIENT_ID'), client_secret: needed('DEMO_CLIENT_SECRET') };
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams({ ...client, ...form }) });
    return { status: response.status, body: (await response.json()) as TokenAnswer };
  }

  const call = (token: string, path = ''): Promise<Response> =>
    fetch(`${service.url}/v1/whoami${path}`, { headers: { authorization: `Bearer ${token}` } });

  beforeAll(async () => {
    options = {
      issuer: needed('OIDC_ISSUER'),
      jwksUrl: needed('OIDC_JWKS_URL'),
      audience: needed('OIDC_AUDIENCE'),
      clients: needed('OIDC_CLIENTS').split(','),
    };
    service = await startService({
      module: WhoAmIModule.with(options),
      config: {
        SERVICE_NAME: 'whoami',
        INSTANCE_ID: '0',
        LOG_LEVEL: 'silent',
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: 0,
        MANAGEMENT_PORT: 0,
        HTTP_NOTICE_MS: 0,
      },
      openApi: { title: 'Who am I' },
      ownsProcess: false,
    });
    const { body } = await ask({ grant_type: 'client_credentials' });
    access = body.access_token ?? '';
  });
  afterAll(() => service?.close());

  it('are accepted and tell workspace, client and roles of the demo', async () => {
    const response = await call(access);
    expect(response.status).toBe(200);
    const principal = (await response.json()) as Principal;
    expect(principal).toMatchObject({ client: needed('DEMO_CLIENT_ID'), workspaceId: 'demo' });
    expect([...principal.roles].sort()).toEqual(['admin', 'analyst', 'operator', 'viewer']);
  });

  it('give nobody the platform', async () => {
    expect((await call(access, '/fleet')).status).toBe(403);
  });

  it('are refused when edited', async () => {
    const [header, , signature] = access.split('.');
    const claims = claimsOf(access);
    const edited = encode({ ...claims, realm_access: { roles: ['viewer', 'platform-operator'] } });
    expect((await call(`${header}.${edited}.${signature}`)).status).toBe(401);
  });

  it('are refused by a service of another audience, issuer or list of clients', async () => {
    const clock = new SystemClock();
    const keys = new KeySet({ clock, fetch: jwksOver(options.jwksUrl) });
    for (const change of [{ audience: 'other' }, { issuer: `${options.issuer}x` }, { clients: ['other'] }]) {
      const verifier = new TokenVerifier({ ...options, ...change }, keys, clock);
      await expect(verifier.verify(access)).rejects.toMatchObject({ kind: 'unauthenticated' });
    }
    await expect(new TokenVerifier(options, keys, clock).verify(access)).resolves.toBeDefined();
  });

  it('are refused when they are ID tokens', async () => {
    const { body } = await ask({ grant_type: 'client_credentials', scope: 'openid' });
    expect(body.id_token).toEqual(expect.any(String));
    expect((await call(body.id_token ?? '')).status).toBe(401);
  });

  it('name a key that the realm publishes', async () => {
    const keys = new KeySet({ clock: new SystemClock(), fetch: jwksOver(options.jwksUrl) });
    expect(await keys.find(keyIdOf(access))).toBeDefined();
    expect(await keys.find('no-such-key')).toBeUndefined();
  });

  it('are never given for a password', async () => {
    const { status, body } = await ask({ grant_type: 'password', username: 'x', password: 'y' });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body.access_token).toBeUndefined();
  });
});
