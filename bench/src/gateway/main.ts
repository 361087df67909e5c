import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { load } from './load';
import type { Load } from './load';

const ROOT = resolve(__dirname, '../../..');
const SECONDS = 4;
/** Of the bar: median added at one connection, requests a second at 32. */
const BAR = { addedMs: 1, perSecond: 3000 };

interface Plugin {
  name: string;
  config: { minute?: number };
}
interface Document {
  consumers: Record<string, unknown>[];
  services: { routes: { plugins: Plugin[] }[] }[];
}

/**
 * `npm run bench:gateway`: the embedded gateway with the rendered kong.yml (limits raised, traces at 1 %) on one core,
 * upstream and load on the other. Counters go to REDIS_CACHE_URL, or that of the test stack. Exit 1 below the bar.
 */
async function main(): Promise<number> {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  const upstream = fork(__filename, ['upstream'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const collector = http.createServer((request, answer) => {
    request.resume();
    answer.end();
  });
  await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done));
  let gateway: ChildProcess | undefined;
  try {
    const upstreamPort = await new Promise<number>((done) => upstream.once('message', done));
    const document = parse(readFileSync(join(ROOT, 'gateway/kong.yml'), 'utf8')) as Document;
    const rsa = pair.publicKey.export({ type: 'spki', format: 'pem' });
    document.consumers = [
      { ...document.consumers[0], jwt_secrets: [{ key: 'bench', algorithm: 'RS256', rsa_public_key: rsa }] },
    ];
    for (const service of document.services)
      for (const { plugins } of service.routes)
        for (const { config } of plugins) if (config.minute !== undefined) config.minute = 1_000_000;
    const file = join(folder, 'kong.yml');
    writeFileSync(file, stringify(document));
    const pinned = cpus().length > 1 ? ['taskset', '-c', '0'] : [];
    const [program = process.execPath, ...args] = [
      ...pinned,
      process.execPath,
      join(ROOT, 'gateway/dist/embedded/main.js'),
    ];
    gateway = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        GATEWAY_CONFIG: file,
        GATEWAY_PROXY_PORT: '0',
        GATEWAY_ADMIN_PORT: '0',
        GATEWAY_STATUS_PORT: '0',
        GATEWAY_HOSTS: `key-service:3000=127.0.0.1:${upstreamPort}`,
        REDIS_CACHE_URL: redisUrl(),
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      },
    });
    const port = await listening(gateway);
    const token = (): string => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const exp = Math.floor(Date.now() / 1000) + 600;
      const text = `${part({ alg: 'RS256', typ: 'JWT', kid: 'bench' })}.${part({ sub: 'bench', exp, jti: randomUUID() })}`;
      return `${text}.${sign('RSA-SHA256', Buffer.from(text), pair.privateKey).toString('base64url')}`;
    };
    const seen = { authorization: `Bearer ${token()}` };
    const pool = Array.from({ length: 4000 }, () => ({ authorization: `Bearer ${token()}` }));
    let next = 0;
    const unseen = (): Record<string, string> => pool[next++ % pool.length] as Record<string, string>;
    await load(port, 8, 2, () => seen); // Compiled before it is measured.
    await load(upstreamPort, 8, 1, () => seen);
    const direct = await load(upstreamPort, 1, SECONDS, () => seen);
    const through = await load(port, 1, SECONDS, () => seen);
    const wide = await load(port, 32, SECONDS, () => seen);
    const fresh = await load(port, 1, 2, unseen);
    show('directly, 1 connection', direct);
    show('through the gateway, 1 connection', through);
    show('through the gateway, 32 connections', wide);
    show('tokens not seen before, 1 connection', fresh);
    const addedMs = through.medianMs - direct.medianMs;
    process.stdout.write(
      `median added ${addedMs.toFixed(3)} ms, uncached ${(fresh.medianMs - direct.medianMs).toFixed(3)} ms\n`,
    );
    const refused = [through, wide].some(({ statuses }) => Object.keys(statuses).join() !== '200');
    return !refused && addedMs <= BAR.addedMs && wide.perSecond >= BAR.perSecond ? 0 : 1;
  } finally {
    gateway?.kill('SIGKILL');
    upstream.kill('SIGKILL');
    collector.close();
    rmSync(folder, { recursive: true });
  }
}

function show(what: string, { requests, perSecond, medianMs, p99Ms, statuses }: Load): void {
  process.stdout.write(
    `${what.padEnd(38)} ${requests} requests, ${perSecond.toFixed(0)}/s, median ${medianMs.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms, ${JSON.stringify(statuses)}\n`,
  );
}

function redisUrl(): string {
  const given = process.env['REDIS_CACHE_URL'];
  if (given !== undefined) return given;
  const file = join(ROOT, '.sociograph/test/env.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)['ADMIN_REDIS_CACHE_URL'] ?? '';
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const port = /"port":(\d+)/.exec(text)?.[1];
      if (port !== undefined) done(Number(port));
    });
    child.once('exit', (code) => fail(new Error(`the gateway ended with ${code}`)));
  });
}

function serveUpstream(): void {
  const body = JSON.stringify({ items: [], next: null });
  const server = http.createServer((_, answer) => {
    answer.setHeader('content-type', 'application/json');
    answer.end(body);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

if (process.argv[2] === 'upstream') serveUpstream();
else
  main().then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      process.stderr.write(`bench:gateway: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
