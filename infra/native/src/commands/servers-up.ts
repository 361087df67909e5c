import { writeEnvironmentFile } from '../environment';
import { installMissing } from '../install/system-packages';
import { ServerControl } from '../server-control';
import type { Servers } from '../servers/catalogue';
import { PlainFault, type Server } from '../servers/server';

/** Brings every server up side by side, fills it with accounts and topics, and writes the stack's env.json. */
export async function serversUp(servers: Servers, say: (line: string) => void): Promise<void> {
  const control = new ServerControl(servers.stack);
  const all = servers.all();
  const ours = all.filter((server) => server.given() === undefined);
  await installMissing(
    ours.flatMap((server) =>
      server.requirements().map((requirement) => ({ server: server.name, requirement })),
    ),
    say,
  );
  const named = all.includes(servers.epmd);
  const epmd = named ? begin(servers.epmd, control, Promise.resolve(), say) : Promise.resolve();
  const outcomes = await Promise.allSettled(
    all.map((server) => {
      if (server === servers.epmd) return epmd;
      return begin(server, control, server === servers.rabbit ? epmd : Promise.resolve(), say);
    }),
  );
  if (!all.includes(servers.arango)) say('arango-embedded    not built yet: left out');
  const faults = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as Error] : [],
  );
  if (faults.length > 0)
    throw new PlainFault(faults.map((fault) => fault.message).join('\n'), { cause: faults[0] });
  writeEnvironmentFile(servers);
}

async function begin(
  server: Server,
  control: ServerControl,
  before: Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  const name = server.name.padEnd(18);
  const since = Date.now();
  const seconds = (): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;
  await before;
  if (server.given() === undefined) await server.fetch();
  const outcome = await control.start(server);
  await server.fill();
  const where = outcome === 'given' ? 'yours, from the environment' : `127.0.0.1:${server.port}`;
  say(
    `${name} ${outcome === 'started' ? 'ready' : outcome === 'given' ? 'used' : 'was running'} on ${where}, ${seconds()}`,
  );
}
