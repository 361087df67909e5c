import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { openStack, serviceEnvironment, Servers, type ServiceName, SERVICES } from '../../native/src/index';
import { freePort, ProcessHandle } from '@sociograph/testing';

const ROOT = resolve(__dirname, '../../..');
const IMAGES = JSON.parse(readFileSync(join(ROOT, 'infra/images/images.json'), 'utf8')) as Record<
  string,
  { folder: string }
>;
/** An ordinary user: `nobody` where the specs run as root, else whoever runs them. */
const ROOTS = process.getuid?.() === 0;
const ORDINARY = {
  uid: ROOTS ? 65_534 : (process.getuid?.() ?? 0),
  gid: ROOTS ? 65_534 : (process.getgid?.() ?? 0),
};
const STARTED_WITHIN_MS = 60_000;
/** As docker-compose.yml and k8s/overlays/dev have it: production, with servers that speak plaintext. */
const PRODUCTION = {
  NODE_ENV: 'production',
  ...Object.fromEntries(
    ['POSTGRES', 'RABBITMQ', 'KAFKA', 'REDIS', 'ARANGO', 'KEYCLOAK', 'VK', 'OTEL'].map((server) => [
      `ALLOW_INSECURE_${server}`,
      'true',
    ]),
  ),
};

describe('images', () => {
  let folder: string;
  let admin: Server;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'images-'));
    chmodSync(folder, 0o755);
    // What the reconciler is started beside: a gateway that has what it is given.
    admin = createServer((_request, response) => response.end('{"data":[]}')).listen(0, '127.0.0.1');
  });
  afterAll(() => {
    admin.close();
    // Who may not write in a tree may not remove it, unless it is root.
    spawnSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** A clean folder with the tree of one image, in which nobody may write. */
  const assembled = (image: string): string => {
    const tree = join(folder, image);
    const made = spawnSync(process.execPath, ['infra/images/assemble.mjs', image, tree, '--built'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`${image} cannot be assembled:\n${made.stdout}${made.stderr}`);
    spawnSync('chmod', ['-R', 'a-w,a+rX', tree]);
    return tree;
  };

  /** The program in such a tree, as an ordinary user who owns a folder for what it writes and nothing else. */
  const program = (tree: string, args: readonly string[], env: Record<string, string>): ProcessHandle => {
    const owned = `${tree}.data`;
    mkdirSync(owned, { recursive: true });
    const readable = Object.entries({ ...env, ...PRODUCTION, HOME: owned, TMPDIR: owned }).map(
      ([name, value]) => {
        const isSecret = name.endsWith('_FILE') && existsSync(value);
        const copy = join(owned, basename(value));
        if (isSecret) {
          copyFileSync(value, copy);
          chmodSync(copy, 0o600);
          chownSync(copy, ORDINARY.uid, ORDINARY.gid);
        }
        return [name, isSecret ? copy : value] as const;
      },
    );
    chownSync(owned, ORDINARY.uid, ORDINARY.gid);
    return new ProcessHandle({
      command: process.execPath,
      args: ['--enable-source-maps', ...args],
      cwd: tree,
      env: { PATH: process.env['PATH'], ...Object.fromEntries(readable) },
      ...(ROOTS ? ORDINARY : {}),
    });
  };

  const answers = async (url: string, process: ProcessHandle): Promise<void> => {
    const until = performance.now() + STARTED_WITHIN_MS;
    for (;;) {
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok === true) return;
      if (!process.running || performance.now() > until)
        throw new Error(
          `${url} answers ${answer?.status ?? 'nothing'}:\n${process.lines.slice(-20).join('\n')}`,
        );
      await new Promise((done) => setTimeout(done, 50));
    }
  };

  const startsAndEnds = async (process: ProcessHandle, url: string): Promise<void> => {
    await process.start();
    try {
      await answers(url, process);
      expect(await process.end('SIGTERM')).toEqual({ code: 0, signal: null });
    } finally {
      await process.kill();
    }
  };

  it('has one for everything that Compose builds', () => {
    const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
    const built = new Set([...compose.matchAll(/args: \{ IMAGE: ([\w-]+) \}/g)].map(([, name]) => name));
    expect([...built].sort()).toEqual(Object.keys(IMAGES).sort());
  });

  it.each([...SERVICES])(
    'of %s migrates and starts as an ordinary user on a read-only tree',
    async (service: ServiceName) => {
      const tree = assembled(service);
      const servers = new Servers(openStack({ root: ROOT, name: process.env['SOCIOGRAPH_STACK'] ?? 'test' }));
      const management = await freePort();
      const env = {
        ...serviceEnvironment(servers, service, 0, { simulator: undefined }),
        HTTP_PORT: String(await freePort()),
        MANAGEMENT_PORT: String(management),
        EXPORTS_FOLDER: `${tree}.data/exports`,
        AUDIT_HEADS_FILE: `${tree}.data/audit-heads.jsonl`,
      };
      const migration = await program(
        tree,
        [join(IMAGES[service]?.folder ?? '', 'dist/migrate.js')],
        env,
      ).start();
      expect([await migration.waitForExit(STARTED_WITHIN_MS), migration.lines.slice(-5)]).toEqual([
        { code: 0, signal: null },
        expect.anything(),
      ]);
      await startsAndEnds(program(tree, ['main.js'], env), `http://127.0.0.1:${management}/health/ready`);
    },
    240_000,
  );

  it('of analytics starts as an ordinary user on a read-only tree', async () => {
    const tree = assembled('analytics');
    const management = await freePort();
    const given = process.env;
    const env = {
      SERVICE_NAME: 'analytics',
      INSTANCE_ID: 'images',
      HTTP_HOST: '127.0.0.1',
      MANAGEMENT_PORT: String(management),
      KAFKA_BROKERS: given['KAFKA_BROKERS'] ?? '',
      KAFKA_USERNAME: given['ANALYTICS_KAFKA_USERNAME'] ?? '',
      KAFKA_PASSWORD: given['ANALYTICS_KAFKA_PASSWORD'] ?? '',
      SUPPRESSION_KEY_FILE: given['ANALYTICS_SUPPRESSION_KEY_FILE'] ?? '',
      ANALYTICS_DUCKDB_FILE: `${tree}.data/analytics.duckdb`,
    };
    await startsAndEnds(program(tree, ['main.js'], env), `http://127.0.0.1:${management}/health/ready`);
  }, 240_000);

  it('of the gateway reconciles signing keys as an ordinary user on a read-only tree', async () => {
    const tree = assembled('gateway');
    const management = await freePort();
    const { port } = admin.address() as { port: number };
    const env = {
      OIDC_JWKS_URL: process.env['OIDC_JWKS_URL'] ?? '',
      KONG_ADMIN_URLS: `http://127.0.0.1:${port}`,
      MANAGEMENT_PORT: String(management),
    };
    await startsAndEnds(program(tree, ['main.js'], env), `http://127.0.0.1:${management}/health/live`);
  }, 240_000);

  it('of the simulator answers as an ordinary user on a read-only tree', async () => {
    const tree = assembled('vk-simulator');
    const port = await freePort();
    const env = {
      VK_SIMULATOR_PORT: String(port),
      VK_SIMULATOR_GRAPH: 'infra/vk-simulator/data/ego-facebook.txt.gz',
    };
    await startsAndEnds(program(tree, ['main.js'], env), `http://127.0.0.1:${port}/stats`);
  }, 240_000);

  it('of provisioning runs as an ordinary user on a read-only tree', async () => {
    const tree = assembled('provision');
    const usage = await program(tree, ['main.js', 'help'], {}).start();
    expect([await usage.waitForExit(STARTED_WITHIN_MS), usage.lines.join('\n')]).toEqual([
      { code: 0, signal: null },
      expect.stringContaining('--servers-only'),
    ]);
  }, 240_000);

  it('hold neither specs, benches and sources nor tools of development, and cannot be written by who runs them', () => {
    for (const image of Object.keys(IMAGES)) {
      const tree = join(folder, image);
      const tools = ['typescript', 'jest', 'prisma', 'eslint', 'nx'].filter((tool) =>
        existsSync(join(tree, 'node_modules', tool)),
      );
      expect([image, tools]).toEqual([image, []]);
      const unwanted = ['*.spec.js', '*/src/*.ts', '*/dist/bench/*'].flatMap((pattern) => [
        '-o',
        '-path',
        pattern,
      ]);
      const files = spawnSync(
        'find',
        [
          tree,
          '-path',
          '*/node_modules',
          '-prune',
          '-o',
          '-type',
          'f',
          '(',
          '-false',
          ...unwanted,
          ')',
          '-print',
        ],
        { encoding: 'utf8' },
      );
      expect([image, files.stdout]).toEqual([image, '']);
      const writable = spawnSync('find', [tree, '!', '-type', 'l', '-perm', '/222'], { encoding: 'utf8' });
      expect([image, writable.stdout]).toEqual([image, '']);
      expect(readdirSync(tree)).toContain('main.js');
    }
  });

  it('are refused where they cannot be what they should be: an unknown one, or a folder that holds something', () => {
    const assemble = (...args: string[]) =>
      spawnSync(process.execPath, ['infra/images/assemble.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
    expect(assemble('nobody', join(folder, 'nobody'))).toMatchObject({ status: 2 });
    expect(assemble('gateway', ROOT).stderr).toContain('is not empty');
  });
});
