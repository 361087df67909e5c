import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, type Launch } from '../launch';
import { find, versionedFolders } from '../run-command';
import { type Requirement, Server, withAccount } from './server';

const VHOST = 'sociograph';

interface Access {
  permissions: Record<string, { configure: string; write: string; read: string }>;
  policies: {
    name: string;
    pattern: string;
    'apply-to': string;
    definition: Record<string, unknown>;
    priority: number;
  }[];
}

interface Topology {
  exchanges: Record<string, unknown>[];
  queues: Record<string, unknown>[];
  bindings: Record<string, unknown>[];
}

/** RabbitMQ with its own epmd; topology, accounts, permissions and policies come from files at every start. */
export class RabbitServer extends Server {
  readonly name = 'rabbitmq';
  readonly port = this.stack.ports.of('rabbit');
  private readonly data = join(this.stack.dir, 'data', 'rabbitmq');
  private readonly node = `sociograph-${this.stack.name}@localhost`;
  /** The node's name is not on Erlang's command line, its home folder is. */
  readonly marker = `-home ${join(this.data, 'home')}`;
  override readonly stopGraceMs = 15_000;

  override given(): string | undefined {
    return this.stack.given['ADMIN_RABBITMQ_URL'];
  }

  override requirements(): Requirement[] {
    return [
      {
        packages: ['rabbitmq-server'],
        found: () => this.script(),
        wayOut:
          'install RabbitMQ 3.10 or later (`apt-get install rabbitmq-server`, `brew install rabbitmq`), ' +
          'or set ADMIN_RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL.',
      },
    ];
  }

  async prepare(): Promise<void> {
    for (const folder of ['home', 'mnesia', 'log', 'etc'])
      mkdirSync(join(this.data, folder), { recursive: true });
    const definitions = this.stack.secrets.derived(
      'rabbitmq-definitions.json',
      JSON.stringify(this.definitions(), null, 1),
    );
    const { ports } = this.stack;
    const template = readFileSync(join(this.stack.root, 'infra', 'rabbitmq', 'rabbitmq.conf'), 'utf8');
    const config = template
      .replaceAll('${AMQP_PORT}', String(this.port))
      .replaceAll('${MANAGEMENT_PORT}', String(ports.of('rabbitManagement')))
      .replaceAll('${PROMETHEUS_PORT}', String(ports.of('rabbitPrometheus')))
      .replaceAll('${DEFINITIONS}', definitions);
    writeFileSync(join(this.data, 'etc', 'rabbitmq.conf'), config);
    writeFileSync(join(this.data, 'etc', 'enabled_plugins'), '[rabbitmq_management,rabbitmq_prometheus].\n');
  }

  launch(): Launch {
    const { ports } = this.stack;
    return {
      file: this.script() as string,
      args: [],
      cwd: this.data,
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        HOME: join(this.data, 'home'), // The Erlang cookie lives there.
        LANG: 'C.UTF-8',
        RABBITMQ_NODENAME: this.node,
        RABBITMQ_NODE_PORT: String(this.port),
        RABBITMQ_DIST_PORT: String(ports.of('rabbitDistribution')),
        RABBITMQ_MNESIA_BASE: join(this.data, 'mnesia'),
        RABBITMQ_LOG_BASE: join(this.data, 'log'),
        RABBITMQ_LOGS: '-',
        RABBITMQ_ENABLED_PLUGINS_FILE: join(this.data, 'etc', 'enabled_plugins'),
        RABBITMQ_CONFIG_FILE: join(this.data, 'etc', 'rabbitmq.conf'),
        RABBITMQ_CONF_ENV_FILE: '/dev/null',
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
          '-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none',
        ERL_EPMD_PORT: String(ports.of('rabbitEpmd')),
        ERL_EPMD_ADDRESS: '127.0.0.1',
      },
    };
  }

  async ready(): Promise<boolean> {
    if (this.given() === undefined && !(await accepts(this.port))) return false;
    return (await this.management('GET', '/api/overview'))?.ok ?? false;
  }

  /** Definitions are read at boot; a broker that was up before, or that the user brought, gets them over HTTP. */
  override async fill(): Promise<void> {
    const answer = await this.management('POST', '/api/definitions', this.definitions());
    if (answer?.ok !== true) {
      throw new Error(
        `RabbitMQ refused its definitions: ${answer === undefined ? 'no answer' : await answer.text()}`,
      );
    }
  }

  url(account: string): string {
    const given = this.given();
    if (given === undefined)
      return `amqp://${account}:${this.password(account)}@127.0.0.1:${this.port}/${VHOST}`;
    return account !== 'admin' && this.ownsAccounts()
      ? withAccount(given, account, this.password(account))
      : given;
  }

  managementUrl(): string {
    const port = this.stack.ports.of('rabbitManagement');
    return (
      this.stack.given['RABBITMQ_MANAGEMENT_URL'] ??
      `http://admin:${this.password('admin')}@127.0.0.1:${port}`
    );
  }

  private definitions(): Record<string, unknown> {
    const folder = join(this.stack.root, 'infra', 'rabbitmq');
    const topology = JSON.parse(readFileSync(join(folder, 'definitions.json'), 'utf8')) as Topology;
    const access = JSON.parse(readFileSync(join(folder, 'access.json'), 'utf8')) as Access;
    const services = this.ownsAccounts() ? Object.entries(access.permissions) : [];
    const ours = this.given() === undefined;
    const user = (name: string, tags: string): Record<string, unknown> => ({
      name,
      password_hash: passwordHash(this.password(name)),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags,
    });
    const everything = { configure: '.*', write: '.*', read: '.*' };
    return {
      vhosts: [{ name: VHOST }],
      users: [...(ours ? [user('admin', 'administrator')] : []), ...services.map(([name]) => user(name, ''))],
      permissions: [
        ...(ours ? [{ user: 'admin', vhost: VHOST, ...everything }] : []),
        ...services.map(([name, rights]) => ({ user: name, vhost: VHOST, ...rights })),
      ],
      policies: access.policies.map((policy) => ({ vhost: VHOST, ...policy })),
      exchanges: topology.exchanges.map((exchange) => ({
        ...{ vhost: VHOST, durable: true, auto_delete: false, internal: false, arguments: {} },
        ...exchange,
      })),
      queues: topology.queues.map((queue) => ({
        vhost: VHOST,
        durable: true,
        auto_delete: false,
        arguments: {},
        ...queue,
      })),
      bindings: topology.bindings.map((binding) => ({
        vhost: VHOST,
        destination_type: 'queue',
        arguments: {},
        ...binding,
      })),
    };
  }

  private async management(method: string, path: string, body?: unknown): Promise<Response | undefined> {
    const url = new URL(this.managementUrl());
    const authorization = `Basic ${Buffer.from(`${url.username}:${decodeURIComponent(url.password)}`).toString('base64')}`;
    try {
      return await fetch(`${url.protocol}//${url.host}${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(10_000),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      return undefined;
    }
  }

  private password(account: string): string {
    return this.stack.secrets.password(`rabbitmq.${account}`);
  }

  /** Debian's /usr/sbin/rabbitmq-server is a wrapper that changes the user; the real script is in the library folder. */
  private script(): string | undefined {
    return find('rabbitmq-server', versionedFolders('/usr/lib/rabbitmq/lib', /^rabbitmq_server-/, 'sbin'));
  }
}

/** The name server of Erlang nodes. Started by us, else the node would leave one behind on every interface. */
export class EpmdServer extends Server {
  readonly name = 'epmd';
  readonly port = this.stack.ports.of('rabbitEpmd');
  readonly marker = `-port ${this.port}`;

  override given(): string | undefined {
    return this.stack.given['ADMIN_RABBITMQ_URL'];
  }

  override requirements(): Requirement[] {
    return [
      {
        packages: ['rabbitmq-server'],
        found: () => this.binary(),
        wayOut: 'install Erlang; RabbitMQ needs its `epmd`.',
      },
    ];
  }

  async prepare(): Promise<void> {}

  launch(): Launch {
    return {
      file: this.binary() as string,
      args: ['-port', String(this.port), '-address', '127.0.0.1'],
      cwd: this.stack.dir,
    };
  }

  ready(): Promise<boolean> {
    return accepts(this.port);
  }

  private binary(): string | undefined {
    return find('epmd', versionedFolders('/usr/lib/erlang', /^erts-/, 'bin'));
  }
}

/** RabbitMQ's salted SHA-256. The salt is derived from the password, so that the same file comes out every time. */
export function passwordHash(password: string): string {
  const salt = createHash('sha256').update(`salt:${password}`).digest().subarray(0, 4);
  const hash = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return Buffer.concat([salt, hash]).toString('base64');
}
