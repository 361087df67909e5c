import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { renderStatus } from './commands/status';
import { databaseUrl, prefixOf, testEnvironment, writeEnvironmentFile } from './environment';
import { fleetOf, gatewayHosts, serviceEnvironment } from './fleet';
import { Servers } from './servers/catalogue';
import { openStack } from './stack';

describe('the fleet', () => {
  let root: string;
  let servers: Servers;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fleet-'));
    servers = new Servers(openStack({ root, name: 'mine', portBase: 33_000 }));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const build = (...programs: string[]): void => {
    for (const program of programs) {
      mkdirSync(dirname(join(root, program)), { recursive: true });
      writeFileSync(join(root, program), '');
    }
  };

  it('runs N of each service that is built, one gateway, and says what is not built', () => {
    build(
      'services/key-service/dist/main.js',
      'services/parser-service/dist/main.js',
      'gateway/dist/embedded/main.js',
    );
    mkdirSync(join(root, 'services/graph-storage-service'), { recursive: true });
    const fleet = fleetOf(servers, { scale: 2, simulator: undefined }, {});
    expect(fleet.processes.map((spec) => spec.name)).toEqual([
      'key-service-0',
      'key-service-1',
      'parser-service-0',
      'parser-service-1',
      'gateway',
    ]);
    expect(fleet.missing).toEqual([
      'infra/native/dist/traces/main.js',
      'infra/native/dist/store-metrics/main.js',
      'services/graph-storage-service/dist/main.js',
      'gateway/dist/reconciler/main.js',
    ]);
    expect(fleet.processes[1]?.ports).toEqual({ http: 33_101, management: 33_201 });
    expect(fleet.processes[0]?.args[0]).toBe('--conditions=sociograph-mine');
  });

  it('lets every process load a file of the caller first, with its settings', () => {
    build('services/key-service/dist/main.js', 'gateway/dist/embedded/main.js');
    const caller = { SOCIOGRAPH_PRELOAD: '/drill.js', DRILL_REDIRECT: '1=2' };
    const { processes } = fleetOf(servers, { scale: 1, simulator: undefined }, caller);
    expect(processes.map(({ args }) => args.slice(-3))).toEqual([
      ['--require', '/drill.js', 'services/key-service/dist/main.js'],
      ['--require', '/drill.js', 'gateway/dist/embedded/main.js'],
    ]);
    expect(processes.map(({ env }) => env['DRILL_REDIRECT'])).toEqual(['1=2', '1=2']);
    const [key] = fleetOf(servers, { scale: 1, simulator: undefined }, {}).processes;
    expect(key?.args).toEqual([
      '--conditions=sociograph-mine',
      '--enable-source-maps',
      'services/key-service/dist/main.js',
    ]);
  });

  it('starts the simulator first and shows it to the parser alone', () => {
    build(
      'infra/vk-simulator/dist/main.js',
      'services/parser-service/dist/main.js',
      'services/key-service/dist/main.js',
    );
    const simulator = { graph: '/g.txt', keys: '20', 'refused-count': 'no' };
    const [first, ...others] = fleetOf(servers, { scale: 1, simulator }, {}).processes;
    expect(first?.env).toMatchObject({
      VK_SIMULATOR_GRAPH: '/g.txt',
      VK_SIMULATOR_KEYS: '20',
      VK_SIMULATOR_REFUSED_COUNT: 'no',
      VK_SIMULATOR_PORT: '33023',
    });
    const seen = Object.fromEntries(others.map((spec) => [spec.name, spec.env['VK_API_URL']]));
    expect(seen).toEqual({ 'key-service-0': undefined, 'parser-service-0': 'http://127.0.0.1:33023/method' });
  });

  it('gives each service only the accounts that it has', () => {
    const key = serviceEnvironment(servers, 'key-service', 0, { simulator: undefined });
    const storage = serviceEnvironment(servers, 'graph-storage-service', 0, { simulator: undefined });
    expect(Object.keys(key)).toEqual(
      expect.arrayContaining(['DATABASE_URL_APP', 'REDIS_POOL_URL', 'KMS_MASTER_KEY_FILE']),
    );
    expect(Object.keys(key).filter((name) => name.startsWith('ARANGO_'))).toEqual([]);
    expect(
      Object.keys(storage).filter((name) => /^(DATABASE|RABBITMQ|KMS|IDENTITY|AUDIT)/.test(name)),
    ).toEqual([]);
    expect(storage).toMatchObject({ ARANGO_DATABASE: 'graph', KAFKA_USERNAME: 'graph-storage-service' });
    expect(key['KAFKA_PASSWORD']).not.toBe(storage['KAFKA_PASSWORD']);
  });

  it('lets key-service trust the identity that parser-service signs with', () => {
    const parser = serviceEnvironment(servers, 'parser-service', 0, { simulator: undefined });
    const key = serviceEnvironment(servers, 'key-service', 0, { simulator: undefined });
    const trusted = JSON.parse(readFileSync(key['LEASE_TRUSTED_FILE'] as string, 'utf8')) as Record<
      string,
      string
    >;
    expect(Object.keys(trusted)).toEqual(['parser-service']);
    expect(trusted['parser-service']).toContain('BEGIN PUBLIC KEY');
    expect(readFileSync(parser['LEASE_IDENTITY_FILE'] as string, 'utf8')).toContain('BEGIN PRIVATE KEY');
    expect(Buffer.from(readFileSync(key['KMS_MASTER_KEY_FILE'] as string, 'utf8'), 'base64')).toHaveLength(
      32,
    );
  });

  it('keeps a share of its traces itself, unless the caller says where they go', () => {
    build(
      'infra/native/dist/traces/main.js',
      'services/key-service/dist/main.js',
      'gateway/dist/embedded/main.js',
    );
    const processes = (caller: NodeJS.ProcessEnv) =>
      fleetOf(servers, { scale: 1, simulator: undefined }, caller).processes;
    const seen = (caller: NodeJS.ProcessEnv) =>
      processes(caller).map(({ name, env }) => [
        name,
        env['OTEL_EXPORTER_OTLP_ENDPOINT'],
        env['TRACE_SAMPLE_RATIO'],
      ]);
    const here = 'http://127.0.0.1:33025';
    expect(seen({})).toEqual([
      ['trace-receiver', undefined, undefined],
      ['key-service-0', here, '0.01'],
      ['gateway', here, '0.01'],
    ]);
    expect(seen({ TRACE_SAMPLE_RATIO: '1', OTEL_EXPORTER_OTLP_ENDPOINT: '' }).at(1)?.at(2)).toBe('1');
    expect(seen({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://o' })).toEqual([
      ['key-service-0', 'http://o', undefined],
      ['gateway', 'http://o', undefined],
    ]);
    const [receiver] = processes({});
    expect(receiver?.ports).toEqual({ http: 33_025 });
    expect(receiver?.env).toMatchObject({
      TRACES_FOLDER: join(root, '.sociograph/mine/traces'),
      TRACES_PORT: '33025',
    });
  });

  it('measures the disk and the memory of its stores by a process that has no secret in its environment', () => {
    build('infra/native/dist/store-metrics/main.js', 'services/key-service/dist/main.js');
    const [stores] = fleetOf(servers, { scale: 2, simulator: undefined }, {}).processes;
    expect(stores).toMatchObject({
      name: 'store-metrics',
      ports: { http: 33_026 },
      env: { STORES_STACK: 'mine', STORES_PORT: '33026' },
    });
    expect(Object.keys(stores?.env ?? {}).sort()).toEqual(['NODE_OPTIONS', 'STORES_PORT', 'STORES_STACK']);
  });

  it('passes on the chosen variables of the caller and no others', () => {
    build('services/key-service/dist/main.js');
    const caller = {
      LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://o',
      NPM_TOKEN: 'x',
      AWS_REGION: 'eu-west-1',
    };
    const [spec] = fleetOf(servers, { scale: 1, simulator: undefined }, caller).processes;
    expect(spec?.env).toMatchObject({
      LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://o',
      AWS_REGION: 'eu-west-1',
    });
    expect(spec?.env).not.toHaveProperty('NPM_TOKEN');
  });

  it('changes the revision of a process when its program was built again', () => {
    build('services/key-service/dist/main.js');
    const revision = (): string | undefined =>
      fleetOf(servers, { scale: 1, simulator: undefined }, {}).processes[0]?.revision;
    const before = revision();
    expect(revision()).toBe(before);
    mkdirSync(join(root, '.sociograph'), { recursive: true });
    writeFileSync(join(root, '.sociograph', 'build.stamp'), 'other\n');
    expect(revision()).not.toBe(before);
  });

  it("maps the names in kong.yml to every instance's address", () => {
    expect(gatewayHosts(servers, 2).split(',').slice(0, 2)).toEqual([
      'key-service:3000=127.0.0.1:33100|127.0.0.1:33101',
      'parser-service:3000=127.0.0.1:33110|127.0.0.1:33111',
    ]);
    expect(gatewayHosts(servers, 1)).toContain('redis-cache:6379=127.0.0.1:33003');
  });

  it('writes an env.json that only its owner may read, with names by service', () => {
    writeEnvironmentFile(servers);
    const file = join(servers.stack.dir, 'env.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const written = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    expect(written).toEqual(testEnvironment(servers));
    expect(written['KEY_SERVICE_DATABASE_URL_OWNER']).toMatch(
      /^postgresql:\/\/key_service_owner:[\w-]{32}@127\.0\.0\.1:33001\/key_service$/,
    );
    expect(written['OIDC_ISSUER']).toBe('http://127.0.0.1:33011/realms/sociograph');
    expect(written).not.toHaveProperty('KEY_SERVICE_OIDC_ISSUER');
  });
});

describe('databaseUrl', () => {
  it('keeps host and parameters and replaces account and database', () => {
    expect(
      databaseUrl('postgresql://root:a@db.example:6432/postgres?sslmode=require', 'app', 'b', 'keys'),
    ).toBe('postgresql://app:b@db.example:6432/keys?sslmode=require');
  });
});

describe('prefixOf', () => {
  it('is the name in capitals with underscores', () => {
    expect(prefixOf('read-model-projector')).toBe('READ_MODEL_PROJECTOR');
  });
});

describe('renderStatus', () => {
  it('aligns the columns and sums the memory', () => {
    const text = renderStatus([
      { name: 'kafka', state: 'running', pid: 12, port: 27_009, restarts: 0, residentMb: 250.4 },
      {
        name: 'parser-service-0',
        state: 'given up',
        pid: undefined,
        port: 27_110,
        restarts: 10,
        residentMb: 0,
      },
    ]);
    expect(text.split('\n')).toEqual([
      'name              state     pid   port  restarts  resident MB',
      'kafka             running    12  27009         0          250',
      'parser-service-0  given up    -  27110        10            0',
      '                                                          250',
    ]);
  });
});
