import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../fleet/servers';

/** Jiffies a second; Linux counts so whatever its own clock does. */
const TICKS = 100;

/** Process ids of a stack by name: the fleet's and its servers'. */
export function processesOf(stack: string): Map<string, number> {
  const folder = join(ROOT, '.sociograph', stack);
  const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
  const found = new Map<string, number>();
  for (const { name, pid } of read(join(folder, 'processes.json')) as { name: string; pid?: number }[])
    if (pid !== undefined) found.set(name, pid);
  for (const file of readdirSync(join(folder, 'run')).filter((name) => name.endsWith('.json'))) {
    const { pid } = read(join(folder, 'run', file)) as { pid?: number };
    if (pid !== undefined) found.set(file.replace('.json', ''), pid);
  }
  return found;
}

/** Seconds of a core that a process has used so far; 0 when it is gone. */
export function coreSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}

/** Resident memory in MB, now and at its highest; undefined when the process is gone. */
export function memoryMb(pid: number): { now: number; peak: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kb = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    return { now: kb('VmRSS') / 1024, peak: kb('VmHWM') / 1024 };
  } catch {
    return undefined;
  }
}

/** Seconds of a core that everything on this machine has used so far; undefined where that cannot be read. */
export function machineCoreSeconds(stat = readFileSync('/proc/stat', 'utf8')): number | undefined {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number);
  if (fields === undefined) return undefined;
  // user, nice, system, idle, iowait, irq, softirq, steal; guests are in the first two already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) / TICKS;
}

/** What each process used of a core between two moments. */
export class CoreMeter {
  readonly #before: Map<string, number>;
  readonly #machine = machineCoreSeconds();
  readonly #since = performance.now();

  constructor(private readonly pids: ReadonlyMap<string, number>) {
    this.#before = new Map([...pids].map(([name, pid]) => [name, coreSeconds(pid)]));
  }

  /** Cores that everything else on this machine used: with more than some hundredths the figures are of a shared machine. */
  others(): number {
    const seconds = (performance.now() - this.#since) / 1000;
    const whole = ((machineCoreSeconds() ?? NaN) - (this.#machine ?? NaN)) / seconds;
    return whole - this.used().reduce((sum, [, cores]) => sum + cores, 0);
  }

  /** Cores by name, the busiest first; those below a hundredth left out. */
  used(): [name: string, cores: number][] {
    const seconds = (performance.now() - this.#since) / 1000;
    return [...this.pids]
      .map(([name, pid]): [string, number] => [
        name,
        (coreSeconds(pid) - (this.#before.get(name) ?? 0)) / seconds,
      ])
      .filter(([, cores]) => cores >= 0.01)
      .sort((a, b) => b[1] - a[1]);
  }
}
