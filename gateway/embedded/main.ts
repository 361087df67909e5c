import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readSettings } from './config';
import { readConfiguration } from './configuration';
import { Counters } from './counters';
import { Gateway } from './gateway';
import { TraceExporter } from './traces';
import { createAdminServer, createStatusServer, listenOn } from './side-ports';

/** From SIGTERM to the last cut connection. */
const GRACE_MS = 4000;
/** In which clients and balancers learn that this gateway goes. */
const NOTICE_MS = 1000;

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const counters = new Counters(settings.addresses, settings.secret);
  const gateway = new Gateway(
    readConfiguration(readFileSync(settings.file, 'utf8')),
    settings.addresses,
    counters,
    Date.now,
    new TraceExporter(settings.traces),
  );
  const admin = createAdminServer(gateway);
  const status = createStatusServer(gateway);
  await listenOn(admin, settings.adminPort, '127.0.0.1');
  await listenOn(status, settings.statusPort, settings.host);
  const port = await gateway.listen(settings.port, settings.host);
  log('gateway is listening', {
    port,
    routes: gateway.configuration.routes.length,
    hash: gateway.configuration.hash,
  });

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await gateway.drain(GRACE_MS, delay(NOTICE_MS));
    counters.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}

function log(msg: string, fields: object): void {
  process.stdout.write(
    `${JSON.stringify({ time: Date.now(), level: 30, service: 'gateway', msg, ...fields })}\n`,
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`gateway: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
