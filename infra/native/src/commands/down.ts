import { rmSync } from 'node:fs';
import { writeProcessFile } from '../process-file';
import { ServerControl } from '../server-control';
import { Servers } from '../servers/catalogue';
import type { Stack } from '../stack';
import { stopSupervisor } from '../supervisor/control';

/** Stops the fleet; its servers go on with all that is in them. */
export async function fleetDown(stack: Stack, say: (line: string) => void): Promise<void> {
  await stopSupervisor(stack);
  writeProcessFile(stack.dir, []);
  say(`the fleet of stack ${stack.name} is stopped`);
}

/** Stops the fleet, then the servers; with `purge` all data, secrets and logs of the stack go too. */
export async function down(
  stack: Stack,
  options: { purge: boolean },
  say: (line: string) => void,
): Promise<void> {
  const servers = new Servers(stack);
  const control = new ServerControl(stack);
  await stopSupervisor(stack);
  const all = servers.all().filter((server) => server !== servers.epmd);
  await Promise.all(all.map((server) => control.stop(server)));
  await control.stop(servers.epmd);
  if (options.purge) await Promise.all(all.map((server) => server.purge()));
  if (options.purge) rmSync(stack.dir, { recursive: true, force: true });
  say(
    options.purge ? `stack ${stack.name} is stopped and its data is gone` : `stack ${stack.name} is stopped`,
  );
}
