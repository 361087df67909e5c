import { randomUUID } from 'node:crypto';
import { Controller, Get, Module, type DynamicModule } from '@nestjs/common';
import { createHostContext, startService, type ServiceHandle } from '@sociograph/service-host';
import { eventually, startTokenIssuer, testServers, type TokenIssuer } from '@sociograph/testing';
import { Redis } from 'ioredis';
import {
  appendRevocation,
  AuthModule,
  followRevocations,
  type Leave,
  type Revocations,
  Roles,
  StreamPlaces,
  streamsKey,
} from '../src/index';

jest.setTimeout(60_000);

@Controller('v1/things')
class ThingsController {
  @Get()
  @Roles('viewer')
  list(): unknown {
    return {};
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {
  static with(issuer: TokenIssuer, revocations: Revocations): DynamicModule {
    const rules = { audience: 'sociograph-api', clients: ['sociograph-demo'], revocations };
    return {
      module: ThingsModule,
      imports: [AuthModule.forRoot({ issuer: issuer.issuer, jwksUrl: issuer.jwksUrl, ...rules })],
    };
  }
}

describe('a revocation', () => {
  const servers = testServers();
  let issuer: TokenIssuer;
  const services: ServiceHandle[] = [];

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    // With the accounts of two services, which may read the stream and no more.
    for (const account of ['parser-service', 'graph-storage-service']) {
      const config = {
        ...{ SERVICE_NAME: 'things', INSTANCE_ID: account, LOG_LEVEL: 'silent' },
        ...{ HTTP_HOST: '127.0.0.1', HTTP_PORT: 0, MANAGEMENT_PORT: 0 },
      };
      const context = createHostContext(config);
      const revocations = followRevocations(servers.of(account, 'REDIS_POOL_URL'), context);
      services.push(
        await startService({
          module: ThingsModule.with(issuer, revocations),
          ...{ config, context, openApi: { title: 'Things' }, ownsProcess: false },
        }),
      );
    }
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.close()));
    await issuer.close();
  });

  it('is heard by the guards of all services, and what was issued later is accepted', async () => {
    const subject = randomUUID();
    const token = issuer.token({ roles: ['viewer'], subject });
    const statuses = (): Promise<number[]> =>
      Promise.all(
        services.map(async ({ url }) => {
          const headers = { authorization: `Bearer ${token}` };
          return (await fetch(`${url}/v1/things`, { headers })).status;
        }),
      );
    expect(await statuses()).toEqual([200, 200]);
    const identity = new Redis(servers.of('identity-service', 'REDIS_POOL_URL'));
    try {
      const now = Date.now();
      await appendRevocation(identity, { subject, earliestIat: Math.floor(now / 1000) + 60, at: now });
      await eventually(async () => expect(await statuses()).toEqual([401, 401]), {
        timeoutMs: 20_000,
        everyMs: 100,
      });
      await appendRevocation(identity, { subject, earliestIat: Math.floor(now / 1000) - 60, at: now + 1 });
      await eventually(async () => expect(await statuses()).toEqual([200, 200]), {
        timeoutMs: 20_000,
        everyMs: 100,
      });
    } finally {
      identity.disconnect();
    }
  });

  it('is no matter of streams, whose places two services share', async () => {
    const workspaceId = `w-${randomUUID()}`;
    const connections = ['parser-service', 'read-model-projector', 'identity-service'].map(
      (account) => new Redis(servers.of(account, 'REDIS_POOL_URL')),
    );
    const [parser, projector, identity] = connections as [Redis, Redis, Redis];
    try {
      const places = [parser, projector].map((redis) => new StreamPlaces(redis, Date.now, randomUUID));
      const asked = Array.from({ length: 20 }, (_, n) => places[n % 2]?.take(workspaceId, 3));
      const taken = (await Promise.all(asked)).filter((leave): leave is Leave => leave !== undefined);
      expect(taken).toHaveLength(3);
      await eventually(async () => expect(await identity.zcard(streamsKey(workspaceId))).toBe(3), {
        timeoutMs: 20_000,
        everyMs: 50,
      });
      taken[0]?.();
      await eventually(async () => expect(await places[1]?.take(workspaceId, 3)).toBeDefined(), {
        timeoutMs: 20_000,
        everyMs: 50,
      });
    } finally {
      await identity.del(streamsKey(workspaceId));
      for (const redis of connections) redis.disconnect();
    }
  });

  it('can be written by identity-service alone', async () => {
    const reader = new Redis(servers.of('parser-service', 'REDIS_POOL_URL'));
    try {
      const forged = { subject: 'x', earliestIat: 1, at: Date.now() };
      await expect(appendRevocation(reader, forged)).rejects.toThrow(/NOPERM/);
      await expect(reader.get('projector:lock')).rejects.toThrow(/NOPERM/);
    } finally {
      reader.disconnect();
    }
  });
});
