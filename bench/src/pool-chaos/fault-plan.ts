import type { SeededRandomness } from '@sociograph/testing';

/** One thing that goes wrong, `atMs` after the beginning. */
export type Fault = { atMs: number } & (
  | { kind: 'freeze'; target: Target; forMs: number }
  | { kind: 'kill'; target: Target }
  | { kind: 'flush' | 'script-flush' }
  | { kind: 'redis-restart'; awayMs: number }
  | { kind: 'clock-step'; byMs: number }
  | { kind: 'rabbit-cut'; whose: Target['role'] }
);

export interface Target {
  role: 'worker' | 'key-service';
  index: number;
}

export interface PlanOptions {
  /** The plan is longer when the freezes do not fit in. */
  durationMs: number;
  freezes: number;
  longestFreezeMs: number;
  workers: number;
  keyServices: number;
}

export const SHORTEST_FREEZE_MS = 50;
/** A process that is frozen for longer than this share of the run proves little. */
const MOST_FROZEN = 0.6;
/** How many of each come in ten minutes. */
const PER_TEN_MINUTES = { worker: 8, keyService: 6, flush: 6, scriptFlush: 3, restart: 5, step: 8, cut: 10 };
const STEP_MS = 2_000;

/** The same seed gives the same faults. Freezes of one process never overlap; everything else falls where it falls. */
export function planFaults(
  random: SeededRandomness,
  options: PlanOptions,
): { durationMs: number; faults: Fault[] } {
  const targets: Target[] = [
    ...Array.from({ length: options.workers }, (_, index) => ({ role: 'worker' as const, index })),
    ...Array.from({ length: options.keyServices }, (_, index) => ({ role: 'key-service' as const, index })),
  ];
  const lengths = new Map<Target, number[]>(targets.map((target) => [target, []]));
  for (let n = 0; n < options.freezes; n += 1)
    lengths.get(random.pick(targets))?.push(logUniform(random, SHORTEST_FREEZE_MS, options.longestFreezeMs));
  const longest = Math.max(0, ...[...lengths.values()].map((times) => sum(times)));
  const durationMs = Math.ceil(Math.max(options.durationMs, longest / MOST_FROZEN));
  const faults: Fault[] = targets.flatMap((target) => {
    const times = lengths.get(target) ?? [];
    return starts(random, times, durationMs).map((atMs, n) => ({
      kind: 'freeze' as const,
      target,
      atMs,
      forMs: times[n] as number,
    }));
  });
  const share = durationMs / 600_000;
  const often = (count: number, make: () => Fault): void => {
    for (let n = 0; n < Math.max(1, Math.round(count * share)); n += 1) faults.push(make());
  };
  const atMs = (): number => random.next() * durationMs;
  const one = (role: Target['role'], of: number): Target => ({ role, index: random.below(of) });
  often(PER_TEN_MINUTES.worker, () => ({
    kind: 'kill',
    atMs: atMs(),
    target: one('worker', options.workers),
  }));
  often(PER_TEN_MINUTES.keyService, () => ({
    kind: 'kill',
    atMs: atMs(),
    target: one('key-service', options.keyServices),
  }));
  often(PER_TEN_MINUTES.flush, () => ({ kind: 'flush', atMs: atMs() }));
  often(PER_TEN_MINUTES.scriptFlush, () => ({ kind: 'script-flush', atMs: atMs() }));
  often(PER_TEN_MINUTES.restart, () => ({
    kind: 'redis-restart',
    atMs: atMs(),
    awayMs: logUniform(random, 50, 3_000),
  }));
  // Forwards and backwards in turn: the clock stays near the machine's.
  let forwards = random.next() < 0.5;
  const steps: Fault[] = [];
  for (let n = 0; n < Math.max(2, Math.round(PER_TEN_MINUTES.step * share)); n += 1)
    steps.push({ kind: 'clock-step', atMs: atMs(), byMs: 0 });
  for (const step of steps.sort((a, b) => a.atMs - b.atMs)) {
    faults.push({ ...step, kind: 'clock-step', byMs: forwards ? STEP_MS : -STEP_MS });
    forwards = !forwards;
  }
  often(PER_TEN_MINUTES.cut, () => ({
    kind: 'rabbit-cut',
    atMs: atMs(),
    whose: random.next() < 0.5 ? 'worker' : 'key-service',
  }));
  return { durationMs, faults: faults.sort((a, b) => a.atMs - b.atMs) };
}

/** Where stretches of these lengths begin, in their order, with what is left of the time spread between them by chance. */
function starts(random: SeededRandomness, lengths: readonly number[], durationMs: number): number[] {
  const weights = Array.from({ length: lengths.length + 1 }, () => -Math.log(1 - random.next()));
  const free = (durationMs - sum(lengths)) / sum(weights);
  let at = 0;
  return lengths.map((length, n) => {
    at += (weights[n] as number) * free;
    const start = at;
    at += length;
    return start;
  });
}

function logUniform(random: SeededRandomness, least: number, most: number): number {
  return least * (most / least) ** random.next();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** How many there are of each kind, for the report. */
export function countFaults(faults: readonly Fault[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
