import { readArguments, type SimulationArguments, USAGE } from './arguments';
import { planted, type Plant, PLANTS } from './plants';
import { playSeeds } from './play-seeds';
import { type RedisPair, startRedisPair } from './redis-pair';
import type { RedisRoom } from './redis-room';
import { simulate, type SimulationReport } from './simulate';
import { SIMULATED_LUA } from './simulated-lua';

const EVERY_SEEDS = 100;

async function main(): Promise<number> {
  let chosen: SimulationArguments;
  try {
    chosen = readArguments(process.argv.slice(2));
  } catch (error) {
    say(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const redis = await startRedisPair();
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  try {
    if (chosen.plants.length === 0) return await runSeeds(redis, chosen);
    return await runPlants(redis, chosen);
  } finally {
    redis.stop();
  }
}

async function runSeeds(redis: RedisPair, chosen: SimulationArguments): Promise<number> {
  const { from, seeds, trace, atOnce } = chosen;
  const startedAt = performance.now();
  const totals = {
    played: 0,
    grants: 0,
    sent: 0,
    frozen: 0,
    faults: 0,
    failed: 0,
    pathChanges: 0,
    refused: 0,
  };
  await playSeeds(redis.rooms.slice(0, atOnce), { from, count: seeds }, async (seed, room) => {
    const report = await simulate(room, { seed, lua: SIMULATED_LUA, ...(trace && { onEvent: say }) });
    totals.played += 1;
    totals.grants += report.grants;
    totals.sent += report.sent;
    totals.frozen += report.frozen;
    totals.faults += report.faults.length;
    totals.pathChanges += report.pathChanges;
    totals.refused += report.refusedLearning;
    if (report.violations.length > 0) {
      totals.failed += 1;
      tell(report, await isTheSameAgain(report, room));
    }
    if (totals.played % EVERY_SEEDS === 0) say(`${totals.played} seeds, ${totals.failed} failed`);
    if (seeds === 1) say(JSON.stringify(Object.fromEntries([...report.counts].sort())));
    return 'go-on';
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage();
  const busyMs = (user + system) / 1000 + (await redis.cpuSeconds()) * 1000;
  say(
    `${seeds} seeds in ${seconds.toFixed(1)} s, ${(busyMs / seeds).toFixed(0)} ms of processor time each: ` +
      `${totals.grants} grants, ${totals.sent} calls sent, ${totals.faults} faults, ` +
      `${totals.frozen} sends of processes that stood still between check and wire (listed apart), ` +
      `${totals.pathChanges} paths that became worse with ${totals.refused} calls refused while they were learned, ` +
      `${totals.failed} seeds failed`,
  );
  return totals.failed > 0 ? 1 : 0;
}

/** Each plant must be found: by any invariant, in any of the seeds. */
async function runPlants(redis: RedisPair, chosen: SimulationArguments): Promise<number> {
  const { from, seeds, plants, atOnce } = chosen;
  const rooms = redis.rooms.slice(0, atOnce);
  let survived = 0;
  say(row('plant', 'seed', 'found by', 'what was planted'));
  for (const plant of PLANTS.filter(({ name }) => plants.includes(name))) {
    const found = await firstFound(rooms, plant, from, seeds);
    if (found === undefined) survived += 1;
    const [violation] = found?.violations ?? [];
    say(row(plant.name, String(found?.seed ?? '-'), violation?.invariant ?? 'NOT FOUND', plant.what));
  }
  say(`${plants.length - survived} of ${plants.length} planted faults found within ${seeds} seeds`);
  return survived > 0 ? 1 : 0;
}

function row(plant: string, seed: string, invariant: string, what: string): string {
  return `${plant.padEnd(20)}${seed.padStart(5)}  ${invariant.padEnd(28)}${what}`;
}

async function firstFound(
  rooms: readonly RedisRoom[],
  plant: Plant,
  from: number,
  count: number,
): Promise<SimulationReport | undefined> {
  const lua = planted(SIMULATED_LUA, plant);
  const found: SimulationReport[] = [];
  await playSeeds(rooms, { from, count }, async (seed, room) => {
    const report = await simulate(room, { seed, lua });
    if (report.violations.length === 0) return 'go-on';
    found.push(report);
    return 'enough';
  });
  // Every seed before these was played to its end.
  return found.sort((one, other) => one.seed - other.seed)[0];
}

/** A failure that does not come again has a cause outside of the seed: it counts, and is told as what it is. */
async function isTheSameAgain(report: SimulationReport, room: RedisRoom): Promise<boolean> {
  const again = await simulate(room, { seed: report.seed, lua: SIMULATED_LUA });
  return JSON.stringify(again.violations) === JSON.stringify(report.violations);
}

function tell(report: SimulationReport, isSameAgain: boolean): void {
  const { seed, violations, faults, lastEvents, stoodStillMs } = report;
  say(`SEED ${seed} FAILED; its faults: ${faults.join(', ')}`);
  for (const { invariant, detail, at } of violations)
    say(`  ${invariant} after ${at.toFixed(3)} s: ${detail}`);
  say('  the last events:');
  for (const event of lastEvents) say(`    ${event}`);
  if (isSameAgain) say(`  again: npm run sim:pool -- --seed ${seed} --trace`);
  else
    say(`  another time it went otherwise; this machine stood still for up to ${stoodStillMs.toFixed(0)} ms`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    say(`The simulation could not run: ${String(error)}`);
    process.exitCode = 1;
  },
);
