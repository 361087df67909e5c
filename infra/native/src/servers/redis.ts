import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from '../launch';
import { find } from '../run-command';
import type { Stack } from '../stack';
import { askRedis } from './ask-redis';
import { type Requirement, Server, withAccount } from './server';

/** Commands that a service may use: everything but administration; INFO and CONFIG GET are for its own start check. */
const SERVICE_COMMANDS = '+@all -@admin -@dangerous +info +config|get';

/** What every service reads (revocations, limits) and writes (its own use of quotas) of identity-service's keys. */
function reading(service: string): readonly string[] {
  return ['%R~identity:revocations', '%R~identity:quotas', `~identity:use:${service}`];
}

/** Places of streams, which services that have streams share. */
const STREAMS = '~identity:streams:*';
/** How many people are stored: the projector counts them, parser-service stops at the quota. */
const PEOPLE = '%R~identity:use:read-model-projector';

export interface RedisInstance {
  readonly name: 'redis-pool' | 'redis-cache';
  readonly portName: 'redisPool' | 'redisCache';
  readonly givenBy: string;
  /** Accounts and the key patterns that each may touch. */
  readonly accounts: Readonly<Record<string, readonly string[]>>;
}

/** `redis-pool` holds what must survive (leases, fences, learning, revocations): each owner writes its own keys there. */
export const REDIS_POOL: RedisInstance = {
  name: 'redis-pool',
  portName: 'redisPool',
  givenBy: 'ADMIN_REDIS_POOL_URL',
  accounts: {
    'key-service': ['~*', '&*'],
    'parser-service': [...reading('parser-service'), PEOPLE, STREAMS],
    'graph-storage-service': reading('graph-storage-service'),
    'read-model-projector': ['~projector:*', ...reading('read-model-projector'), STREAMS],
    'identity-service': ['~identity:*'],
  },
};

/** `redis-cache` may lose everything at any time. */
export const REDIS_CACHE: RedisInstance = {
  name: 'redis-cache',
  portName: 'redisCache',
  givenBy: 'ADMIN_REDIS_CACHE_URL',
  accounts: {
    'key-service': ['~*', '&*'],
    'parser-service': ['~*', '&*'],
    'graph-storage-service': ['~*', '&*'],
    'read-model-projector': ['~*', '&*'],
    gateway: ['~*', '&*'],
  },
};

export class RedisServer extends Server {
  readonly name: string;
  readonly port: number;
  readonly marker: string;

  constructor(
    stack: Stack,
    private readonly instance: RedisInstance,
  ) {
    super(stack);
    this.name = instance.name;
    this.port = stack.ports.of(instance.portName);
    this.marker = `127.0.0.1:${this.port}`; // Redis replaces its command line by "redis-server HOST:PORT".
  }

  override given(): string | undefined {
    return this.stack.given[this.instance.givenBy];
  }

  override requirements(): Requirement[] {
    return [
      {
        packages: ['redis-server'],
        found: () => find('redis-server'),
        wayOut: `install Redis 7 (\`apt-get install redis-server\`, \`brew install redis\`), or set ${this.instance.givenBy}.`,
      },
    ];
  }

  async prepare(): Promise<void> {
    mkdirSync(join(this.stack.dir, 'data', this.name), { recursive: true });
    this.stack.secrets.derived(`${this.name}.acl`, this.accessList());
  }

  launch(): Launch {
    return {
      file: find('redis-server') as string,
      args: [
        join(this.stack.root, 'infra', 'redis', `${this.name}.conf`),
        ...['--port', String(this.port)],
        ...['--dir', join(this.stack.dir, 'data', this.name)],
        ...['--aclfile', join(this.stack.dir, 'secrets', `${this.name}.acl`)],
      ],
      cwd: this.stack.root,
    };
  }

  async ready(): Promise<boolean> {
    return (await askRedis(this.url('admin'), ['PING'])).startsWith('+PONG');
  }

  override async fill(): Promise<void> {
    // A server that was up before may have an older list of accounts.
    if (this.given() !== undefined) return;
    this.stack.secrets.derived(`${this.name}.acl`, this.accessList());
    await askRedis(this.url('admin'), ['ACL', 'LOAD']);
  }

  /** Address for an account; a server that the user brought has one account for all, unless it is ours alone. */
  url(account: string): string {
    const given = this.given();
    if (given === undefined) return `redis://${account}:${this.password(account)}@127.0.0.1:${this.port}/0`;
    return account !== 'admin' && this.ownsAccounts()
      ? withAccount(given, account, this.password(account))
      : given;
  }

  private accessList(): string {
    const services = Object.entries(this.instance.accounts).map(
      ([account, keys]) =>
        `user ${account} on >${this.password(account)} ${keys.join(' ')} ${SERVICE_COMMANDS}`,
    );
    return [
      'user default off resetpass',
      `user admin on >${this.password('admin')} ~* &* +@all`,
      ...services,
      '',
    ].join('\n');
  }

  private password(account: string): string {
    return this.stack.secrets.password(`${this.name}.${account}`);
  }
}
