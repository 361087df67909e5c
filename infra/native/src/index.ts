import { resolve } from 'node:path';
import { ServerControl } from './server-control';
import { Servers } from './servers/catalogue';
import { openStack } from './stack';

export { openStack, Ports, SERVICES } from './stack';
export type { ServiceName, Stack } from './stack';
export { Servers } from './servers/catalogue';
export { ServerControl } from './server-control';
export type { ServerState, ServerStatus } from './server-control';
export { testEnvironment } from './environment';
export { serviceEnvironment } from './fleet';
export { readProcessFile } from './process-file';
export type { ProcessRecord } from './process-file';
export { askSupervisor } from './supervisor/control';
export type { ControlReply, ControlRequest, ProcessStatus } from './supervisor/control';

const ROOT = resolve(__dirname, '../../..');

/** Names: postgres, redis-pool, redis-cache, rabbitmq, kafka, keycloak, prometheus, arango-embedded. */
export async function startServer(stackName: string, name: string): Promise<void> {
  const stack = openStack({ root: ROOT, name: stackName });
  await new ServerControl(stack).start(new Servers(stack).named(name));
}

/** Ends a server and waits until it is gone; SIGKILL for a crash, else its own clean way. Data stays. */
export async function stopServer(stackName: string, name: string, signal?: NodeJS.Signals): Promise<void> {
  const stack = openStack({ root: ROOT, name: stackName });
  await new ServerControl(stack).stop(new Servers(stack).named(name), signal);
}
