import { writeFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { ArgumentFault, type LeaseBenchArguments, leaseBenchArguments } from './arguments';
import { cpuSeconds, tasksetWorks } from './cores';
import { misses, type PhaseResult } from './figures';
import type { Phase } from './load';
import { openStand, type Stand, startLoad } from './stand';

const BARS = { perSecond: 2_500, p99Ms: 5 };
const WARM_UP_SECONDS = 4;
const COUNTED_CALLS = 300;
/** Once the pool's memory is new, nothing is granted before the old one's windows are over. */
const READY_WITHIN_MS = 30_000;

interface Row {
  name: string;
  result: PhaseResult;
  /** Microseconds of key-service's core per grant, settles and readings included. */
  cpuPerGrant: number;
  /** Shares of a core that each took. */
  busy: { service: number; redis: number; broker: number; client: number };
}

async function bench(args: LeaseBenchArguments): Promise<number> {
  if (!tasksetWorks())
    throw new Error('taskset is missing (package util-linux): nothing can be held to a core.');
  const stand = await openStand(args, (line) => console.error(`> ${line}`));
  const stop = (): void => void stand.close().then(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await measure(args, stand);
  } finally {
    await stand.close();
  }
}

async function measure(args: LeaseBenchArguments, stand: Stand): Promise<number> {
  const { rabbitUrl, echoRabbitUrl, identityKeyPem, workspaceId } = stand;
  const load = startLoad(args.clientCore, { rabbitUrl, echoRabbitUrl, identityKeyPem, workspaceId });
  try {
    return await phases(args, stand, load);
  } finally {
    load.stop();
  }
}

async function phases(
  args: LeaseBenchArguments,
  stand: Stand,
  load: ReturnType<typeof startLoad>,
): Promise<number> {
  await load.ready;
  await granting(stand, () => load.run<PhaseResult>({ mode: 'counted', calls: 1 } satisfies Phase));
  await load.run({ mode: 'closed', concurrency: 32, seconds: WARM_UP_SECONDS } satisfies Phase);

  const trips = await roundTrips(stand.redis, () =>
    load.run<PhaseResult>({ mode: 'counted', calls: COUNTED_CALLS } satisfies Phase),
  );
  const rows: Row[] = [];
  const used = (): Row['busy'] => ({
    service: cpuSeconds(stand.servicePid, stand.echoPid),
    redis: cpuSeconds(stand.redisPid),
    broker: stand.brokerPids.length === 0 ? NaN : cpuSeconds(...stand.brokerPids),
    client: cpuSeconds(load.pid),
  });
  const row = async (name: string, phase: Phase): Promise<Row> => {
    const before = used();
    const result = await load.run<PhaseResult>(phase);
    const after = used();
    const busyOf = (who: keyof Row['busy']): number => (after[who] - before[who]) / result.seconds;
    const busy = {
      service: busyOf('service'),
      redis: busyOf('redis'),
      broker: busyOf('broker'),
      client: busyOf('client'),
    };
    const made = { name, result, cpuPerGrant: (busy.service * 1e6) / perSecond(result), busy };
    rows.push(made);
    console.error(
      `> ${name}: ${perSecond(result).toFixed(0)} grants/s, p99 ${result.latency.p99.toFixed(2)} ms`,
    );
    return made;
  };
  const { seconds, rate } = args;
  const echo = await row(`nothing granted, ${rate}/s`, { mode: 'echo', rate, seconds });
  const open = await row(`open, ${rate}/s`, { mode: 'open', rate, seconds });
  for (const concurrency of args.concurrency)
    await row(`closed, ${concurrency} in flight`, { mode: 'closed', concurrency, seconds });

  const closed = rows.filter((each) => each !== open && each !== echo);
  const best = Math.max(...closed.map(({ result }) => perSecond(result)));
  const measured = {
    sustained: best,
    openP99: open.result.latency.p99,
    echoP99: echo.result.latency.p99,
    roundTripsPerGrant: trips.perGrant,
  };
  print(args, stand, rows, trips, measured);
  const missed = misses(measured, BARS);
  for (const miss of missed) console.log(`Missed: ${miss}.`);
  if (args.json !== undefined)
    writeFileSync(args.json, `${JSON.stringify({ args, rows, trips, measured, missed }, undefined, 2)}\n`);
  return args.check && missed.length > 0 ? 1 : 0;
}

/** Until the pool grants: a denial is an answer, too. */
async function granting(stand: Stand, ask: () => Promise<PhaseResult>): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  while ((await ask()).granted === 0)
    if (performance.now() > until)
      throw new Error(`the pool grants nothing; key-service said last:\n${stand.lastWords().join('\n')}`);
}

interface Trips {
  /** Commands that key-service sent, without those that the script itself ran. */
  commands: Record<string, number>;
  grants: number;
  settles: number;
  readings: number;
  perGrant: number;
}

/** Every command that came from outside of a script while grants were made one by one; Redis itself tells. */
async function roundTrips(redis: Redis, run: () => Promise<PhaseResult>): Promise<Trips> {
  const commands: Record<string, number> = {};
  const monitor = await redis.monitor();
  monitor.on('monitor', (_at: string, words: string[], source: string) => {
    const name = (words[0] ?? '').toLowerCase();
    if (source === 'lua') return;
    const known = name === 'fcall' ? `fcall ${words[4] ?? ''}` : name;
    commands[known] = (commands[known] ?? 0) + 1;
  });
  const result = await run();
  await redis.ping();
  monitor.disconnect();
  const { granted, settleRequests, clockRequests } = result;
  const grants = commands['fcall grant'] ?? 0;
  return {
    commands,
    grants: granted,
    settles: settleRequests,
    readings: clockRequests,
    perGrant: grants / granted,
  };
}

function perSecond({ granted, seconds }: PhaseResult): number {
  return granted / seconds;
}

function percent(share: number, width: number): string {
  return (Number.isNaN(share) ? '?' : (share * 100).toFixed(0)).padStart(width);
}

function print(
  args: LeaseBenchArguments,
  stand: Stand,
  rows: readonly Row[],
  trips: Trips,
  measured: { sustained: number; openP99: number; echoP99: number },
): void {
  const where =
    args.redisCore === undefined ? 'Redis where the kernel puts it' : `Redis on core ${args.redisCore}`;
  console.log(
    `\nLeases of one call each, sealed and authenticated, over RabbitMQ; ${args.keys} keys, ${args.seconds} s a row.`,
  );
  console.log(
    `key-service on core ${args.serviceCore}, broker and client on core ${args.clientCore}, ${where}.`,
  );
  for (const remark of stand.remarks) console.log(`${remark}.`);
  console.log(
    '\n                          grants/s   denied  failed   p50 ms   p99 ms  p99.9 ms   max ms   us/grant   % of a core: service  redis  broker  client',
  );
  for (const { name, result, cpuPerGrant, busy } of rows) {
    const { latency, denied, failed } = result;
    const cells = [
      perSecond(result).toFixed(0).padStart(9),
      String(Object.values(denied).reduce((sum, each) => sum + each, 0)).padStart(8),
      String(failed).padStart(7),
      latency.p50.toFixed(2).padStart(8),
      latency.p99.toFixed(2).padStart(8),
      latency.p999.toFixed(2).padStart(9),
      latency.max.toFixed(1).padStart(8),
      cpuPerGrant.toFixed(0).padStart(10),
      percent(busy.service, 22),
      percent(busy.redis, 6),
      percent(busy.broker, 7),
      percent(busy.client, 7),
    ];
    console.log(`  ${name.padEnd(23)}${cells.join(' ')}`);
  }
  console.log(
    `\nSustained: ${measured.sustained.toFixed(0)} grants/s (bar ${BARS.perSecond}). p99 at ${args.rate}/s: ${measured.openP99.toFixed(2)} ms (bar ${BARS.p99Ms}); ` +
      `${measured.echoP99.toFixed(2)} ms where the same broker carries requests and answers of the same size and nothing is granted.`,
  );
  const others = Object.entries(trips.commands)
    .filter(([name]) => name !== 'fcall grant')
    .map(([name, count]) => `${count} ${name}`);
  console.log(
    `Redis, as its MONITOR has it while ${trips.grants} leases were granted: ${trips.commands['fcall grant'] ?? 0} calls of the script for grants; ` +
      `besides, for ${trips.settles} settle requests, ${trips.readings} clock readings and the service's own chores: ${others.join(', ') || 'none'}.`,
  );
}

void (async () => {
  try {
    process.exitCode = await bench(leaseBenchArguments(process.argv.slice(2)));
  } catch (error) {
    if (error instanceof ArgumentFault) console.error(error.message);
    else console.error(error);
    process.exitCode = 2;
  }
})();
