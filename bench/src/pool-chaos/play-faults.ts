import type { Fault } from './fault-plan';
import type { Stand } from './stand';
import { machineNow } from './system-clock';

/** Plays the faults on the stand, each at its time; resolves when the last one is over. */
export async function playFaults(stand: Stand, faults: readonly Fault[]): Promise<void> {
  const begunAt = machineNow();
  const under: Promise<unknown>[] = [];
  for (const fault of faults) {
    await pause(fault.atMs - (machineNow() - begunAt));
    under.push(play(stand, fault));
  }
  await Promise.all(under);
}

async function play(stand: Stand, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case 'freeze':
      processOf(stand, fault.target).freeze(fault.forMs);
      return pause(fault.forMs);
    case 'kill':
      return processOf(stand, fault.target).kill();
    case 'flush':
      await stand.admin.flushall();
      return stand.lost('FLUSHALL');
    case 'script-flush':
      await stand.admin.function('FLUSH');
      return stand.lost('FUNCTION FLUSH');
    case 'redis-restart':
      return restartRedis(stand, fault.awayMs);
    case 'clock-step':
      stand.clock.step(fault.byMs);
      // libfaketime looks at its file once a second.
      await pause(1_000);
      return stand.lost(`clock stepped by ${fault.byMs} ms`);
    case 'rabbit-cut':
      return stand.proxies[fault.whose].cut();
  }
}

let restarting: Promise<void> = Promise.resolve();

/** One after the other: two that fall together are two restarts. */
function restartRedis(stand: Stand, awayMs: number): Promise<void> {
  restarting = restarting.then(async () => {
    stand.presences.push({ at: machineNow(), who: 'redis', there: false });
    await stand.redis.handle.kill();
    await pause(awayMs);
    await stand.redis.handle.start();
    await stand.redis.handle.waitFor(/Ready to accept connections/);
    stand.presences.push({ at: machineNow(), who: 'redis', there: true });
    stand.lost('Redis restarted');
  });
  return restarting;
}

function processOf(stand: Stand, target: Extract<Fault, { kind: 'kill' }>['target']) {
  const processes = target.role === 'worker' ? stand.workers : stand.keyServices;
  const process = processes[target.index];
  if (process === undefined) throw new Error(`there is no ${target.role} ${target.index}`);
  return process;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
