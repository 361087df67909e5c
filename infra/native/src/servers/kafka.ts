import { pbkdf2Sync, createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyJars, JAVA, MAVEN, once, writePom } from '../install/maven';
import { accepts, type Launch } from '../launch';
import { run } from '../run-command';
import { ensureAccess, ensureTopics, type KafkaConnection, reachable } from './kafka-admin';
import { type Requirement, Server } from './server';

export const KAFKA_VERSION = '4.3.1';

const JARS = [
  ['org.apache.kafka', 'kafka_2.13', KAFKA_VERSION],
  ['org.apache.kafka', 'kafka-tools', KAFKA_VERSION],
  ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'],
  ['org.apache.logging.log4j', 'log4j-core', '2.24.3'],
] as const;

/** Accounts of the broker; `admin` is the super user, `observer` may only read. Rights are in infra/kafka/access.json. */
export const KAFKA_ACCOUNTS = [
  'admin',
  'key-service',
  'parser-service',
  'graph-storage-service',
  'read-model-projector',
  'identity-service',
  'analytics',
  'observer',
] as const;

/** Kafka as one KRaft node: SCRAM for everybody, access lists per service, topics from a file. */
export class KafkaServer extends Server {
  readonly name = 'kafka';
  readonly port = this.stack.ports.of('kafka');
  private readonly home = join(this.stack.dir, 'data', 'kafka');
  private readonly jars = join(this.stack.cache, `kafka-${KAFKA_VERSION}`);
  private readonly config = join(this.stack.dir, 'secrets', 'kafka.properties');
  readonly marker = this.config;

  override given(): string | undefined {
    return this.stack.given['KAFKA_BROKERS'];
  }

  override requirements(): Requirement[] {
    return [JAVA, ...(existsSync(this.jars) ? [] : [MAVEN])];
  }

  override async fetch(): Promise<void> {
    await once(this.jars, async (folder) => {
      const pom = join(folder, 'pom.xml');
      writePom(pom, JARS);
      await copyJars(pom, join(folder, 'lib'));
    });
  }

  async prepare(): Promise<void> {
    mkdirSync(this.home, { recursive: true });
    const template = readFileSync(join(this.stack.root, 'infra', 'kafka', 'server.properties'), 'utf8');
    // Of drills, which cannot wait for what is right for a platform: the last of two lines of a name counts.
    const more = (process.env['SOCIOGRAPH_KAFKA_SETTINGS'] ?? '').split(/\s+/).join('\n');
    this.stack.secrets.derived(
      'kafka.properties',
      `${template}\n${more}\n`
        .replaceAll('${BROKER_PORT}', String(this.port))
        .replaceAll('${CONTROLLER_PORT}', String(this.stack.ports.of('kafkaController')))
        .replaceAll('${ADMIN_PASSWORD}', this.password('admin'))
        .replaceAll('${OBSERVER_PASSWORD}', this.password('observer'))
        .replaceAll('${DATA}', join(this.home, 'log')),
    );
    const formatted = join(this.home, 'accounts.json');
    if (existsSync(join(this.home, 'log', 'meta.properties')) && existsSync(formatted)) return;
    const id = createHash('sha256')
      .update(this.password('admin'))
      .digest()
      .subarray(0, 16)
      .toString('base64url');
    await this.tool('kafka.tools.StorageTool', [
      // One word: an id may begin with a dash.
      ...['format', `--cluster-id=${id}`, '--config', this.config, '--ignore-formatted'],
      ...KAFKA_ACCOUNTS.flatMap((account) => [
        '--add-scram',
        scramCredential(account, this.password(account)),
      ]),
    ]);
    writeFileSync(formatted, JSON.stringify(KAFKA_ACCOUNTS));
  }

  launch(): Launch {
    const log = join(this.stack.root, 'infra', 'kafka', 'log4j2.yaml');
    return {
      file: JAVA.found() as string,
      args: [
        ...['-Xms128m', '-Xmx384m', '-XX:+UseG1GC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true'],
        ...[`-Dlog4j2.configurationFile=${log}`, '-cp', join(this.jars, 'lib', '*')],
        ...['kafka.Kafka', this.config],
      ],
      cwd: this.home,
    };
  }

  async ready(): Promise<boolean> {
    if (this.given() === undefined && !(await accepts(this.port))) return false;
    return reachable(this.connection());
  }

  override async fill(): Promise<void> {
    await this.addAccountsBornLater();
    const folder = join(this.stack.root, 'infra', 'kafka');
    const changes = await ensureTopics(this.connection(), join(folder, 'topics.json'));
    for (const change of changes) process.stdout.write(`kafka              changed ${change}\n`);
    if (this.ownsAccounts()) await ensureAccess(this.connection(), join(folder, 'access.json'));
  }

  brokers(): string {
    return this.given() ?? `127.0.0.1:${this.port}`;
  }

  /** User name and password of an account; a server that the user brought has one account for all, or none. */
  credentials(account: string): { username: string; password: string } | undefined {
    const username = this.stack.given['ADMIN_KAFKA_USERNAME'];
    if (
      this.given() === undefined ||
      (account !== 'admin' && username !== undefined && this.ownsAccounts())
    ) {
      return { username: account, password: this.password(account) };
    }
    return username === undefined
      ? undefined
      : { username, password: this.stack.given['ADMIN_KAFKA_PASSWORD'] ?? '' };
  }

  private connection(): KafkaConnection {
    return { brokers: this.brokers().split(','), credentials: this.credentials('admin') };
  }

  /** SCRAM credentials are written when the storage is formatted; an account of a newer version is added to the running broker. */
  private async addAccountsBornLater(): Promise<void> {
    const file = join(this.home, 'accounts.json');
    if (this.given() !== undefined) return;
    const known = JSON.parse(readFileSync(file, 'utf8')) as string[];
    const missing = KAFKA_ACCOUNTS.filter((account) => !known.includes(account));
    if (missing.length === 0) return;
    const login = this.stack.secrets.derived(
      'kafka-admin.properties',
      'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.scram.' +
        `ScramLoginModule required username="admin" password="${this.password('admin')}";\n`,
    );
    for (const account of missing) {
      await this.tool('kafka.admin.ConfigCommand', [
        ...[
          '--bootstrap-server',
          this.brokers(),
          '--command-config',
          login,
          '--alter',
          '--entity-type',
          'users',
        ],
        ...['--entity-name', account, '--add-config', `SCRAM-SHA-512=[password=${this.password(account)}]`],
      ]);
    }
    writeFileSync(file, JSON.stringify(KAFKA_ACCOUNTS));
  }

  private async tool(main: string, args: readonly string[]): Promise<void> {
    await run(
      JAVA.found() as string,
      ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', join(this.jars, 'lib', '*'), main, ...args],
      {
        cwd: this.home,
      },
    );
  }

  private password(account: string): string {
    return this.stack.secrets.password(`kafka.${account}`);
  }
}

/** A SCRAM credential in salted form: the password itself stays out of the command line, where others can read it. */
export function scramCredential(account: string, password: string, iterations = 4096): string {
  const salt = createHash('sha256').update(`${account}:${password}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, iterations, 64, 'sha512');
  const fields = [`name=${account}`, `iterations=${iterations}`, `salt="${salt.toString('base64')}"`];
  return `SCRAM-SHA-512=[${fields.join(',')},saltedpassword="${salted.toString('base64')}"]`;
}
