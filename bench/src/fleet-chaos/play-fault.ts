import { eventually } from '@sociograph/testing';
import type { DrillStand } from '../fleet/drill-stand';
import { pause } from '../fleet/endless-imports';
import type { Fault, FaultyServer, ProcessName } from './fault-plan';
import { FirstWork } from './first-work';
import { type Counter, countsFromNothing, counterOf, type Work, WORK_OF } from './work';

export interface PlayedFault {
  readonly fault: Fault;
  readonly work: Work;
  /** From the first healthy answer, the new start or the end of the fault to the first unit of work; undefined: none came. */
  readonly recoveryMs: number | undefined;
  /** Of a SIGTERM: until the process was gone. */
  readonly exitMs?: number;
}

const LOOK_MS = 50;
/** So long it is waited for work; later ones are as bad as none. */
const PATIENCE_MS = 60_000;
const GONE_WITHIN_MS = 30_000;

/** Plays one fault and waits for the first unit of work after it. */
export async function playFault(
  fault: Fault,
  stand: DrillStand,
  token: () => Promise<string>,
  person: string,
): Promise<PlayedFault> {
  const work = WORK_OF[fault.target];
  const counter = counterOf(work, stand, token, person);
  const { healthyAt, isNewProcess, exitMs } = await happen(fault, stand);
  const base = isNewProcess || countsFromNothing(work) ? 0 : undefined;
  const recoveryMs = await untilWork(counter, new FirstWork(base), healthyAt);
  return { fault, work, recoveryMs, ...(exitMs === undefined ? {} : { exitMs }) };
}

interface Happened {
  /** From here on the part could work again. */
  healthyAt: number;
  isNewProcess: boolean;
  exitMs?: number;
}

async function happen(fault: Fault, stand: DrillStand): Promise<Happened> {
  switch (fault.kind) {
    case 'kill':
    case 'term':
      return endProcess(fault.target, fault.kind === 'kill' ? 'SIGKILL' : 'SIGTERM', stand);
    case 'freeze': {
      const pid = await runningPid(fault.target, stand);
      process.kill(pid, 'SIGSTOP');
      await pause(fault.forMs);
      process.kill(pid, 'SIGCONT');
      return { healthyAt: performance.now(), isNewProcess: false };
    }
    case 'crash':
      await stand.servers.stop(fault.target, 'SIGKILL');
      await pause(fault.awayMs);
      await stand.servers.start(fault.target);
      return { healthyAt: performance.now(), isNewProcess: false };
    case 'restart':
      await stand.servers.restart(fault.target);
      return { healthyAt: performance.now(), isNewProcess: false };
    default:
      return disturb(fault, stand);
  }
}

async function disturb(
  fault: Extract<Fault, { kind: 'cut' | 'refuse' | 'stall' | 'delay' }>,
  stand: DrillStand,
): Promise<Happened> {
  const proxy = proxyOf(fault.target, stand);
  if (fault.kind === 'cut') proxy.cut();
  else {
    if (fault.kind === 'refuse') proxy.refuse();
    else if (fault.kind === 'delay') proxy.delay(fault.byMs);
    else proxy.stall();
    await pause(fault.forMs);
    proxy.restore();
  }
  return { healthyAt: performance.now(), isNewProcess: false };
}

async function endProcess(name: ProcessName, signal: NodeJS.Signals, stand: DrillStand): Promise<Happened> {
  const pid = await runningPid(name, stand);
  const askedAt = performance.now();
  process.kill(pid, signal);
  while (isThere(pid) && performance.now() - askedAt < GONE_WITHIN_MS) await pause(10);
  const exitMs = performance.now() - askedAt;
  const healthyAt = await stand.startedAgain(name, pid);
  return { healthyAt, isNewProcess: true, ...(signal === 'SIGTERM' ? { exitMs } : {}) };
}

/** Milliseconds until the first unit of work; undefined when none came while it was waited for. */
async function untilWork(counter: Counter, first: FirstWork, since: number): Promise<number | undefined> {
  while (performance.now() - since < PATIENCE_MS) {
    if (first.saw(await counter())) return performance.now() - since;
    await pause(LOOK_MS);
  }
  return undefined;
}

export function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Its own watchdog may have ended it: then it is there again in a moment. */
function runningPid(name: ProcessName, stand: DrillStand): Promise<number> {
  return eventually(() => stand.pidOf(name) ?? false, { timeoutMs: 20_000 });
}

function proxyOf(name: FaultyServer, stand: DrillStand) {
  const proxy = stand.proxies.get(name);
  if (proxy === undefined) throw new Error(`no proxy stands in front of ${name}`);
  return proxy;
}
