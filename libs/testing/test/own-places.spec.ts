import { connect } from 'node:net';
import { LEASE_QUEUE, rabbitTopology } from '@sociograph/contracts';
import {
  accessToken,
  askRabbit,
  demoToken,
  freePort,
  inPostgres,
  type OwnServiceDatabase,
  ownDatabase,
  ownServiceDatabase,
  type OwnVhost,
  ownVhost,
  testServers,
  withPath,
  workspaceOf,
} from '../src';

jest.setTimeout(30_000);

const servers = testServers();
const management = servers.rabbitmqManagementUrl ?? '';

describe('a database of its own', () => {
  let database: OwnServiceDatabase;

  beforeAll(async () => {
    database = await ownServiceDatabase(servers, 'key-service');
  });
  afterAll(() => database?.drop());

  const as = (role: 'owner' | 'app' | 'worker', sql: string): Promise<unknown> =>
    inPostgres(database.urlOf(role), async (client) => (await client.query(sql)).rows);

  it('is used through the roles of its service, which have what the owner grants them', async () => {
    await as('owner', 'CREATE TABLE things (n int); GRANT SELECT, INSERT ON things TO key_service_app');
    await as('app', 'INSERT INTO things VALUES (3)');
    expect(await as('app', 'SELECT n FROM things')).toEqual([{ n: 3 }]);
    await expect(as('worker', 'SELECT n FROM things')).rejects.toThrow('permission denied for table things');
    for (const role of ['app', 'worker'] as const)
      await expect(as(role, 'CREATE TABLE mine (n int)')).rejects.toThrow(
        'permission denied for schema public',
      );
  });

  it('is closed to the accounts of other services', async () => {
    const other = withPath(servers.of('parser-service', 'DATABASE_URL_APP'), database.name);
    await expect(inPostgres(other, (client) => client.query('SELECT 1'))).rejects.toThrow(
      'permission denied for database',
    );
  });

  it('is copied with its rows and rights, and gone after its drop although somebody is connected', async () => {
    const copy = await ownServiceDatabase(servers, 'key-service', database.name);
    await inPostgres(copy.urlOf('app'), async (client) => {
      client.on('error', () => undefined);
      expect((await client.query('SELECT n FROM things')).rows).toEqual([{ n: 3 }]);
      await copy.drop();
    });
    const left = `SELECT datname FROM pg_database WHERE datname = '${copy.name}'`;
    expect(await inPostgres(servers.adminDatabaseUrl, (client) => client.query(left))).toMatchObject({
      rows: [],
    });
  });

  it('without a service belongs to the administrator', async () => {
    const plain = await ownDatabase(servers);
    const { rows } = await inPostgres(plain.adminUrl, (client) =>
      client.query('SELECT current_database() AS name'),
    );
    await plain.drop();
    expect(rows).toEqual([{ name: plain.name }]);
  });
});

describe('a virtual host of its own', () => {
  let vhost: OwnVhost;

  beforeAll(async () => {
    vhost = await ownVhost(servers, ['key-service', 'parser-service']);
  });

  it('holds the platform`s topology', async () => {
    const { queues, exchanges, bindings } = rabbitTopology();
    const names = (found: { name: string }[] | undefined): string[] => (found ?? []).map(({ name }) => name);
    expect(names(await askRabbit(management, 'GET', `queues/${vhost.name}`)).sort()).toEqual(
      queues.map(({ name }) => name).sort(),
    );
    expect(names(await askRabbit(management, 'GET', `exchanges/${vhost.name}`))).toEqual(
      expect.arrayContaining(exchanges.map(({ name }) => name)),
    );
    const bound = await askRabbit<{ source: string; destination: string; routing_key: string }[]>(
      management,
      'GET',
      `bindings/${vhost.name}`,
    );
    for (const { exchange, queue, routingKey } of bindings)
      expect(bound).toContainEqual(
        expect.objectContaining({ source: exchange, destination: queue, routing_key: routingKey }),
      );
    expect(await askRabbit(management, 'GET', `queues/${vhost.name}/${LEASE_QUEUE}`)).toMatchObject({
      durable: true,
      arguments: { 'x-queue-type': 'classic' },
    });
  });

  it('lets in the accounts that were named, and the administrator', async () => {
    const users = await askRabbit<{ user: string; write: string }[]>(
      management,
      'GET',
      `vhosts/${vhost.name}/permissions`,
    );
    const named = ['key-service', 'parser-service'].map((service) => new URL(vhost.urlOf(service)).username);
    const admin = new URL(servers.adminRabbitmqUrl).username;
    expect(users?.map(({ user }) => user).sort()).toEqual([...new Set([admin, ...named])].sort());
    expect(users?.every(({ write }) => write === '.*')).toBe(true);
    expect(new URL(vhost.urlOf('key-service')).pathname).toBe(`/${vhost.name}`);
  });

  it('is gone after its drop; a refusal names the request and the status, never the account', async () => {
    await vhost.drop();
    const refused = await askRabbit(management, 'GET', `vhosts/${vhost.name}`).catch(String);
    expect(refused).toContain(`Error: RabbitMQ refused GET vhosts/${vhost.name}: 404`);
    expect(refused).not.toContain(new URL(management).password);
  });
});

describe('the account of the demo', () => {
  it('gets a token that names its workspace', async () => {
    const token = await demoToken();
    expect(workspaceOf(token)).toMatch(/^[a-z0-9-]+$/);
    expect(() => workspaceOf('e30.e30.e30')).toThrow('the token names no workspace');
  });

  it('gets none by a wrong secret, nor without its variables', async () => {
    const wrong = {
      issuer: process.env['OIDC_ISSUER'] ?? '',
      clientId: 'sociograph-demo',
      clientSecret: 'x',
    };
    await expect(accessToken(wrong)).rejects.toThrow('Keycloak gave sociograph-demo no token: 401');
    await expect(demoToken({ OIDC_ISSUER: 'http://nowhere', DEMO_CLIENT_ID: '' })).rejects.toThrow(
      'DEMO_CLIENT_ID is not set: start the test stack first',
    );
  });
});

describe('a free port', () => {
  it('has no listener', async () => {
    const port = await freePort();
    const refused = await new Promise((resolve) => {
      connect(port, '127.0.0.1')
        .once('connect', () => resolve('connected'))
        .once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(refused).toBe('ECONNREFUSED');
  });
});
