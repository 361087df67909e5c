// Entry of every npm script. Plain Node without a dependency: it runs before anything is installed.
// It installs, generates and builds what is missing or out of date, then hands over to the built program.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const STATE = join(ROOT, '.sociograph');
const NATIVE = 'infra/native/dist/main.js';
const PROGRAMS = {
  demo: 'tools/dist/demo/main.js',
  test: 'tools/dist/test/main.js',
  'test:kong': 'gateway/dist/conformance/main.js',
  'migrate:keycloak': 'infra/native/dist/keycloak-realm/main.js',
  'rotate:signing-key': 'infra/native/dist/keycloak-realm/rotate-signing-key.js',
  'test:mutants': 'tools/dist/mutants/main.js',
  'test:arango': 'tools/dist/arango-contract/main.js',
  gen: 'tools/dist/gen/main.js',
  stats: 'tools/dist/stats/main.js',
  'sim:pool': 'services/key-service/dist/simulation/main.js',
  'bench:pool': 'bench/dist/pool/main.js',
  'bench:lease': 'bench/dist/lease-rpc/main.js',
  'bench:gateway': 'bench/dist/gateway/main.js',
  'bench:views': 'services/read-model-projector/dist/bench/main.js',
  'bench:queries': 'services/graph-storage-service/dist/bench/main.js',
  'bench:exports': 'services/graph-storage-service/dist/bench/exports-main.js',
  'bench:graph': 'bench/dist/graph/main.js',
  'chaos:pool': 'bench/dist/pool-chaos/main.js',
  'chaos:import': 'bench/dist/import-chaos/main.js',
  'chaos:fleet': 'bench/dist/fleet-chaos/main.js',
  'drill:restarts': 'bench/dist/restarts/main.js',
  'drill:upgrade': 'bench/dist/upgrade-drill/main.js',
  soak: 'bench/dist/soak/main.js',
  'drill:restore': 'bench/dist/restore-drill/main.js',
  'drill:erasure': 'bench/dist/erasure-drill/main.js',
  backup: 'infra/native/dist/backup/main.js',
  restore: 'infra/native/dist/backup/restore-main.js',
  fuzz: 'tools/dist/fuzz/main.js',
  'keys:rewrap': 'services/key-service/dist/rewrap.js',
  'audit:verify': 'services/identity-service/dist/verify-audit.js',
  redrive: 'services/parser-service/dist/redrive.js',
  'projector:rebuild': 'services/read-model-projector/dist/rebuild.js',
  analytics: 'analytics/dist/main.js',
  sociograph: 'infra/cli/dist/main.js',
};

/** Commands that change nothing that was built, and are wanted quickly. */
const LOOKING = ['down', 'status', 'logs', 'trace', 'query', 'dead-letters', 'with', 'help'];

const [command = 'help', ...args] = process.argv.slice(2);
/** Where the caller stands: files that they name to the command line tool are looked for there. */
const CALLER = process.env.INIT_CWD ?? process.cwd();
process.chdir(ROOT);
main();

function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    stop(
      `Node ${process.versions.node} is too old: install Node 20.19 or later (https://nodejs.org, nvm install 22).`,
    );
  }
  mkdirSync(STATE, { recursive: true });
  const program = PROGRAMS[command] ?? NATIVE;
  // Specs and drills whose commands must not build meanwhile say that they have.
  const built = process.env.SOCIOGRAPH_BUILT === 'true';
  const looksOnly = LOOKING.includes(command) && existsSync(join(ROOT, program));
  if (!looksOnly && !built) {
    const serversOnly = command === 'up' && args.includes('--servers-only');
    install();
    if (!serversOnly) generateClients();
    build(serversOnly ? ['native', 'arango-embedded'] : undefined);
  }
  if (!existsSync(join(ROOT, program)))
    stop(`${program} was not built: see the messages of the build above.`);
  const words = program === NATIVE ? [command, ...args] : args;
  const child = spawn(process.execPath, ['--enable-source-maps', join(ROOT, program), ...words], {
    stdio: 'inherit',
    cwd: command === 'sociograph' ? CALLER : ROOT,
    env: { ...ofStack(command), ...process.env },
  });
  // A signal to this process alone must reach the program, which has servers to stop.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => (process.exitCode = code ?? 1));
}

/** What a command of a service needs to know of the fleet that runs here. */
function ofStack(command) {
  if (command === 'keys:rewrap') return keysOfStack();
  if (command === 'audit:verify') return auditOfStack();
  if (command === 'redrive') return callsOfStack();
  if (command === 'analytics') return analyticsOfStack();
  if (command === 'sociograph') return { SOCIOGRAPH_STACK_ENV: stackFile('env.json') };
  return command === 'projector:rebuild' ? viewsOfStack() : {};
}

/** Of the stack that runs here, whether or not it does. */
function stackFile(name) {
  return join(STATE, process.env.SOCIOGRAPH_STACK ?? 'dev', name);
}

/** Where the views of the fleet that runs here lie, unless the environment names others. */
function viewsOfStack() {
  const file = join(STATE, process.env.SOCIOGRAPH_STACK ?? 'dev', 'env.json');
  if (process.env.ARANGO_URL !== undefined || !existsSync(file)) return {};
  const env = JSON.parse(readFileSync(file, 'utf8'));
  const names = ['ARANGO_URL', 'ARANGO_DATABASE', 'ARANGO_USERNAME', 'ARANGO_PASSWORD'];
  return Object.fromEntries(names.map((name) => [name, env[`READ_MODEL_PROJECTOR_${name}`]]));
}

/** Where the audit trail of the fleet that runs here lies, unless the environment names another. */
function auditOfStack() {
  const file = stackFile('env.json');
  if (process.env.AUDIT_KEY_FILE !== undefined || !existsSync(file)) return {};
  const env = JSON.parse(readFileSync(file, 'utf8'));
  const names = [
    'DATABASE_URL_APP',
    'DATABASE_URL_WORKER',
    'KAFKA_BROKERS',
    'KAFKA_USERNAME',
    'KAFKA_PASSWORD',
  ];
  return {
    ...Object.fromEntries(names.map((name) => [name, env[`IDENTITY_SERVICE_${name}`]])),
    AUDIT_KEY_FILE: stackFile('secrets/audit-key'),
    AUDIT_HEADS_FILE: stackFile('audit-heads.jsonl'),
  };
}

/** Where the dead calls of the fleet that runs here lie, unless the environment names others. */
function callsOfStack() {
  const file = stackFile('env.json');
  if (process.env.RABBITMQ_URL !== undefined || !existsSync(file)) return {};
  const env = JSON.parse(readFileSync(file, 'utf8'));
  const names = ['DATABASE_URL_APP', 'DATABASE_URL_WORKER', 'RABBITMQ_URL'];
  return Object.fromEntries(names.map((name) => [name, env[`PARSER_SERVICE_${name}`]]));
}

/** What the analytics consumer needs of the fleet that runs here; its warehouse is a file of that stack. */
function analyticsOfStack() {
  const file = stackFile('env.json');
  if (process.env.KAFKA_BROKERS !== undefined || !existsSync(file)) return {};
  const env = JSON.parse(readFileSync(file, 'utf8'));
  const warehouse = { ANALYTICS_DUCKDB_FILE: stackFile('analytics.duckdb') };
  if (env.ANALYTICS_SUPPRESSION_KEY_FILE === undefined)
    stop('The fleet that runs here is older than analytics: run `npm run up` once more.');
  return {
    ...warehouse,
    KAFKA_BROKERS: env.KAFKA_BROKERS,
    ...(env.ANALYTICS_KAFKA_USERNAME !== undefined && {
      KAFKA_USERNAME: env.ANALYTICS_KAFKA_USERNAME,
      KAFKA_PASSWORD: env.ANALYTICS_KAFKA_PASSWORD,
    }),
    SUPPRESSION_KEY_FILE: env.ANALYTICS_SUPPRESSION_KEY_FILE,
  };
}

/** Where the keys of the fleet that runs here lie, unless the environment names others. */
function keysOfStack() {
  const stack = join(STATE, process.env.SOCIOGRAPH_STACK ?? 'dev');
  const file = join(stack, 'env.json');
  if (process.env.DATABASE_URL_WORKER !== undefined || !existsSync(file)) return {};
  return {
    DATABASE_URL_WORKER: JSON.parse(readFileSync(file, 'utf8')).KEY_SERVICE_DATABASE_URL_WORKER,
    KMS_MASTER_KEY_FILE: join(stack, 'secrets', 'kms-master-key'),
  };
}

function install() {
  if (installed()) return;
  step('npm ci (once; a minute or two)');
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: 'inherit',
  });
  if (result.error !== undefined)
    stop('npm is not on PATH: it comes with Node, install Node from https://nodejs.org.');
  if (result.status !== 0)
    stop('npm ci failed: check the connection to the npm registry, then run the command again.');
}

/** True when what npm put into node_modules is what the lock file wants, package by package. */
function installed() {
  const hidden = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const have = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(
    ([path, { version, optional, peer, link }]) =>
      !path.includes('node_modules/') ||
      optional ||
      (link ? have[path]?.link : have[path]?.version === version) ||
      (peer && have[path] === undefined),
  );
}

function generateClients() {
  for (const service of readdirSync(join(ROOT, 'services'))) {
    const folder = join(ROOT, 'services', service);
    const schema = join(folder, 'prisma', 'schema.prisma');
    if (!existsSync(schema)) continue;
    const key = `prisma-${service}`;
    const configs = readdirSync(folder).filter((name) => name.startsWith('prisma.config.'));
    const stamp = hash([schema, ...configs.map((name) => join(folder, name))]);
    const output = clientFolder(schema);
    if (read(key) === stamp && existsSync(output)) continue;
    step(`Prisma client of ${service}`);
    const result = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/prisma/build/index.js'), 'generate'],
      {
        cwd: folder,
        // The command looks for an engine binary that generating does not use; any executable satisfies it.
        env: {
          ...process.env,
          PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true',
          PRISMA_HIDE_UPDATE_MESSAGE: '1',
          CHECKPOINT_DISABLE: '1',
        },
        encoding: 'utf8',
      },
    );
    if (result.status !== 0)
      stop(`The Prisma client of ${service} could not be generated:\n${result.stderr}${result.stdout}`);
    write(key, stamp);
  }
}

function clientFolder(schema) {
  const output = /^\s*output\s*=\s*"([^"]+)"/m.exec(readFileSync(schema, 'utf8'))?.[1] ?? '../generated';
  return resolve(dirname(schema), output);
}

/** Nx knows what is up to date, but asking it takes seconds: one hash over all sources answers the usual case. */
function build(projects) {
  const stamp = hash(sources());
  const key = projects === undefined ? 'build' : 'build-servers';
  if (read('build') === stamp || read(key) === stamp) return;
  step(projects === undefined ? 'building' : `building ${projects.join(', ')}`);
  const which = projects === undefined ? [] : ['--projects', projects.join(',')];
  const result = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/nx/dist/bin/nx.js'),
      'run-many',
      '--target=build',
      '--output-style=static',
      ...which,
    ],
    {
      env: { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' },
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  );
  if (result.status !== 0)
    stop(`The build failed:\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
  write(key, stamp);
}

function sources() {
  const files = ['package-lock.json', '.swcrc', 'nx.json'].map((name) => join(ROOT, name));
  for (const top of ['libs', 'services', 'gateway', 'infra', 'tools', 'bench', 'e2e'])
    collect(join(ROOT, top), files);
  return files.sort();
}

function collect(folder, into) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!['node_modules', 'dist', 'test'].includes(entry.name)) collect(path, into);
    } else if (/\.(ts|mts|lua|json|sql|prisma)$/.test(entry.name) && !entry.name.endsWith('.spec.ts'))
      into.push(path);
  }
}

function hash(files) {
  const sum = createHash('sha256').update(process.version);
  for (const file of files)
    sum.update(relative(ROOT, file)).update('\0').update(readFileSync(file)).update('\0');
  return sum.digest('hex');
}

function read(key) {
  const file = join(STATE, `${key}.stamp`);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

function write(key, value) {
  writeFileSync(join(STATE, `${key}.stamp`), `${value}\n`);
}

function step(text) {
  process.stderr.write(`> ${text}\n`);
}

function stop(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
