import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { composeEnvironment, renderEnvironmentFile } from '../src/commands/compose-up';
import { Secrets } from '../src/secrets';

const ROOT = resolve(__dirname, '../../..');
const hasGo = spawnSync('go', ['version']).status === 0;

// Compose's own parser is a Go library. Without Go the check is left out on a laptop, and is a failure in CI.
const withGo = hasGo || process.env['CI'] === 'true' ? describe : describe.skip;

withGo('docker-compose.yml', () => {
  let dir: string;
  let services: Map<string, { image: string; dockerfile: string }>;

  const check = (...args: string[]): string => {
    const result = spawnSync(join(dir, 'compose-check'), args, { encoding: 'utf8', cwd: ROOT });
    if (result.status !== 0) throw new Error(result.stderr);
    return result.stdout;
  };

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'compose-'));
    execFileSync('go', ['build', '-o', join(dir, 'compose-check'), '.'], {
      cwd: join(ROOT, 'infra', 'compose-check'),
    });
    const environment = composeEnvironment(
      { secrets: new Secrets(join(dir, 'secrets')) },
      { uid: 1000, gid: 1000 },
    );
    writeFileSync(join(dir, 'env'), renderEnvironmentFile(environment));
    const rows = check(join(ROOT, 'docker-compose.yml'), join(dir, 'env')).trim().split('\n');
    services = new Map(
      rows.map((row) => {
        const [name, image, dockerfile] = row.split('\t');
        return [name as string, { image: image as string, dockerfile: dockerfile as string }];
      }),
    );
  }, 300_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("is accepted by Compose's own parser and has every service, server and the gateway", () => {
    expect([...services.keys()]).toEqual(
      expect.arrayContaining([
        'key-service',
        'parser-service',
        'graph-storage-service',
        'read-model-projector',
        'identity-service',
        'kong',
        'arangodb',
        'analytics',
        'clickhouse',
      ]),
    );
  });

  it('makes the parser name a faulty field', () => {
    const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
    writeFileSync(join(dir, 'broken.yml'), text.replace('hostname: rabbitmq', 'hostnme: rabbitmq'));
    expect(() => check(join(dir, 'broken.yml'), join(dir, 'env'))).toThrow('hostnme');
  });

  it('pins every image by an exact tag', () => {
    for (const [name, { image }] of services) {
      expect(`${name} ${image}`).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    }
  });

  it('builds all images from one file, whose base is pinned, as another user than root and with a health check', () => {
    const files = new Set([...services.values()].map((service) => service.dockerfile).filter(Boolean));
    expect([...files]).toEqual(['infra/images/Dockerfile']);
    const text = readFileSync(join(ROOT, 'infra/images/Dockerfile'), 'utf8');
    expect(text).toMatch(/^USER node$/m);
    expect(text).toMatch(/^HEALTHCHECK /m);
    expect([...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)).toEqual(
      Array(2).fill('node:24.11.0-bookworm-slim'),
    );
  });
});
