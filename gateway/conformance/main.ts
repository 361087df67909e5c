import { setTimeout as delay } from 'node:timers/promises';
import { cases } from './cases';
import { conformanceDocument } from './document';
import { RecordingUpstream } from './recording-upstream';
import { differences } from './run-case';
import type { World } from './run-case';

const MINUTE_MS = 60_000;

/**
 * `npm run test:kong -- --url http://HOST:8000 [--admin http://HOST:8001] [--status http://HOST:8100] [--upstream
 * HOST:PORT] [--redis HOST:PORT]`: replays the cases on a real Kong. It REPLACES that Kong's configuration.
 * `--upstream` is where Kong reaches this machine, `--redis` a Redis without a password.
 */
async function main(argv: readonly string[]): Promise<number> {
  const option = (name: string): string | undefined =>
    argv.includes(`--${name}`) ? argv[argv.indexOf(`--${name}`) + 1] : undefined;
  const url = option('url');
  if (url === undefined) throw new Error('--url must name a Kong, like http://127.0.0.1:8000.');
  const proxy = new URL(url);
  const named = option('upstream');
  const upstream = new RecordingUpstream();
  const port = await upstream.start(
    Number(named?.split(':')[1] ?? 0),
    named === undefined ? '127.0.0.1' : '0.0.0.0',
  );
  const host = named?.split(':')[0] ?? '127.0.0.1';
  const [redisHost = '127.0.0.1', redisPort = '6379'] = option('redis')?.split(':') ?? [];
  const world: World = {
    host: proxy.hostname,
    port: Number(proxy.port || 80),
    admin: option('admin') ?? `http://${proxy.hostname}:8001`,
    status: option('status') ?? `http://${proxy.hostname}:8100`,
    document: conformanceDocument({
      upstream: `${host}:${port}`,
      dead: `${host}:1`,
      redis: { host: redisHost, port: Number(redisPort) },
      silentRedis: { host, port: upstream.silentPort },
    }),
    upstream,
  };
  const posted = await fetch(`${world.admin}/config`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(world.document),
  });
  if (posted.status !== 201)
    throw new Error(`Kong refused the configuration: ${posted.status} ${await posted.text()}`);
  let different = 0;
  for (const one of cases) {
    // A window of a limit that ends between two requests would look like a difference.
    if (one.name.includes('a minute') && Date.now() % MINUTE_MS > MINUTE_MS - 10_000)
      await delay(MINUTE_MS - (Date.now() % MINUTE_MS));
    const found = await differences(one, world).catch((error: Error) => [error.message]);
    if (found.length > 0) different += 1;
    for (const sentence of found) process.stdout.write(`${one.fact}, ${one.name}: ${sentence}\n`);
  }
  process.stdout.write(`${cases.length} cases, ${different} differ\n`);
  await upstream.stop();
  return different === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`test:kong: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
