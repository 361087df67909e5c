import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { readSettings } from './config';
import { Reconciler } from './reconciler';
import { request } from './request';

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const reconciler = new Reconciler(settings.jwksUrl, settings.adminUrls, {
    fetchJson: async (url) => {
      const { status, body } = await request('GET', url);
      if (status !== 200) throw new Error(`status ${status}`);
      return JSON.parse(body) as unknown;
    },
    postJson: async (url, body) => (await request('POST', url, body)).status,
    readTemplate: () => readFileSync(settings.file, 'utf8'),
    log: (msg, fields) =>
      void process.stdout.write(
        `${JSON.stringify({ time: Date.now(), level: 30, service: 'gateway-reconciler', msg, ...fields })}\n`,
      ),
  });

  if (settings.managementPort !== undefined) {
    createServer(({ url }, response) => {
      const metrics = url === '/metrics';
      const live = metrics || /^\/health\/(live|startup|ready)$/.test(url ?? '');
      response.writeHead(live ? 200 : 404, {
        'content-type': metrics ? 'text/plain; version=0.0.4' : 'application/json',
      });
      // Ready even while a gateway is away: what it answers says so.
      response.end(
        metrics ? reconciler.metrics : JSON.stringify({ status: reconciler.complete ? 'up' : 'degraded' }),
      );
    }).listen(settings.managementPort, settings.managementHost);
  }

  let fetchAt = 0;
  let stopped = false;
  process.on('SIGHUP', () => {
    fetchAt = 0;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopped = true;
      process.exit(0);
    });
  }
  while (!stopped) {
    if (performance.now() >= fetchAt) {
      const fetched = await reconciler.fetchKeys();
      // Until there are keys at all nobody gets in: asked again at every check.
      fetchAt = fetched || reconciler.hasKeys ? performance.now() + settings.fetchEveryMs : 0;
    }
    await reconciler.reconcile();
    await new Promise((resolve) => setTimeout(resolve, settings.checkEveryMs));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`gateway-reconciler: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
