import { Chance } from './chance';
import type { RedisRoom } from './redis-room';
import { Run } from './run';
import { VirtualTime } from './virtual-time';
import { type Violation, World } from './world';

export interface SimulationOptions {
  seed: number;
  /** The text that Redis executes, its TIME line replaced. */
  lua: string;
  /** Called with each event; only the last ones are kept otherwise. */
  onEvent?: (line: string) => void;
}

export interface SimulationReport {
  seed: number;
  grants: number;
  sent: number;
  /** Calls of processes that stood still between check and wire, by their own stamps. */
  frozen: number;
  /** Changes of the path to the worse, and the calls that were refused while they were learned. */
  pathChanges: number;
  refusedLearning: number;
  faults: string[];
  violations: Violation[];
  lastEvents: string[];
  counts: ReadonlyMap<string, number>;
  /** Virtual seconds. */
  seconds: number;
  /** The machine stood still, ms: what lives for a second or two in Redis may have ended too soon. */
  stoodStillMs: number;
}

/** One run: five keys, three workers, two key-services, at least 200 grants and five faults; the same for the same seed. */
export async function simulate(room: RedisRoom, options: SimulationOptions): Promise<SimulationReport> {
  const time = new VirtualTime(room);
  const world = new World(time, new Chance(options.seed), options.onEvent);
  const run = new Run(world, room, options.lua);
  const faults = await run.play();
  const { frozen, pathChanges, refusedLearning } = run.provider;
  return {
    seed: options.seed,
    grants: run.watch.grants,
    sent: world.counts.get('sent') ?? 0,
    ...{ frozen, pathChanges, refusedLearning, faults },
    violations: world.violations,
    lastEvents: world.lastEvents(),
    counts: world.counts,
    seconds: world.elapsed(),
    stoodStillMs: run.server.longestLook,
  };
}
