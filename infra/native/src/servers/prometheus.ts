import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answersOk, type Launch } from '../launch';
import { find } from '../run-command';
import { PlainFault, type Requirement, Server } from './server';

/** Prometheus; who is scraped is a file that `up` writes, read again by Prometheus when it changes. */
export class PrometheusServer extends Server {
  readonly name = 'prometheus';
  readonly port = this.stack.ports.of('prometheus');
  private readonly home = join(this.stack.dir, 'data', 'prometheus');
  readonly marker = `--config.file=${this.home}`;

  override given(): string | undefined {
    return this.stack.given['PROMETHEUS_URL'];
  }

  override requirements(): Requirement[] {
    return [
      {
        packages: ['prometheus'],
        found: () => find('prometheus'),
        wayOut:
          'install Prometheus (`apt-get install prometheus`, `brew install prometheus`), or set PROMETHEUS_URL.',
      },
    ];
  }

  async prepare(): Promise<void> {
    mkdirSync(join(this.home, 'targets'), { recursive: true });
    const source = join(this.stack.root, 'infra', 'prometheus');
    const config = readFileSync(join(source, 'prometheus.yml'), 'utf8').replaceAll(
      '${STACK}',
      this.stack.name,
    );
    writeFileSync(join(this.home, 'prometheus.yml'), config);
    if (existsSync(join(source, 'rules')))
      cpSync(join(source, 'rules'), join(this.home, 'rules'), { recursive: true });
    const { ports } = this.stack;
    this.writeTargets('servers', [
      {
        targets: [`127.0.0.1:${ports.of('rabbitPrometheus')}`],
        labels: { service: 'rabbitmq', instance: 'rabbitmq-0' },
      },
      {
        targets: [`127.0.0.1:${ports.of('keycloakManagement')}`],
        labels: { service: 'keycloak', instance: 'keycloak-0' },
      },
      { targets: [`127.0.0.1:${this.port}`], labels: { service: 'prometheus', instance: 'prometheus-0' } },
    ]);
    this.writeTargets('queues', [
      {
        targets: [`127.0.0.1:${ports.of('rabbitPrometheus')}`],
        labels: { service: 'rabbitmq', instance: 'rabbitmq-0' },
      },
    ]);
  }

  /** One that runs already learns of rules and targets that were added since. */
  override async fill(): Promise<void> {
    if (this.given() !== undefined) return;
    await this.prepare();
    const answer = await fetch(`${this.url()}/-/reload`, { method: 'POST' });
    if (!answer.ok)
      throw new PlainFault(`Prometheus does not take its configuration: ${await answer.text()}`);
  }

  /** Replaces one file of scrape targets. */
  writeTargets(
    name: string,
    targets: readonly { targets: string[]; labels: Record<string, string> }[],
  ): void {
    writeFileSync(join(this.home, 'targets', `${name}.json`), `${JSON.stringify(targets, null, 2)}\n`);
  }

  launch(): Launch {
    return {
      file: find('prometheus') as string,
      args: [
        `--config.file=${join(this.home, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(this.home, 'series')}`,
        '--storage.tsdb.retention.time=7d',
        `--web.listen-address=127.0.0.1:${this.port}`,
        '--web.enable-lifecycle',
        '--enable-feature=exemplar-storage',
        '--log.level=warn',
      ],
      cwd: this.home,
    };
  }

  async ready(): Promise<boolean> {
    if (this.given() !== undefined) return true; // Nothing of ours waits for it.
    return answersOk(`${this.url()}/-/ready`);
  }

  url(): string {
    return this.given() ?? `http://127.0.0.1:${this.port}`;
  }
}
