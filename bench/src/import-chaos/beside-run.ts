import type { FleetApi } from '@sociograph/api-client';
import { eventually } from '@sociograph/testing';
import type { ChaosStand } from './fleet-stand';

export interface BesideVerdict {
  readonly passed: boolean;
  readonly misses: readonly string[];
  /** Seconds of the ten, each time. */
  readonly alone: readonly number[];
  readonly beside: readonly number[];
}

const OTHER = 'beside';
const MANY = 1_000;
const FEW = 10;
const ROUNDS = 5;
const MOST_TIMES = 2;

/** Ten friend lists (and profiles) of one workspace, alone and while another one imports a thousand with the same keys. */
export async function runBeside(stand: ChaosStand, say: (line: string) => void): Promise<BesideVerdict> {
  await stand.shareKeys([OTHER]);
  const large = await stand.inWorkspace(stand.workspaceId);
  const other = await stand.inWorkspace(OTHER);
  const alone: number[] = [];
  const beside: number[] = [];
  // The first one finds a cold fleet.
  await secondsOf(other);
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(await secondsOf(other));
    const { id } = await large.startImport({ seeds: people(MANY), depth: 1 });
    await eventually(async () => (await large.import(id)).counters.calls.made >= 2, { timeoutMs: 60_000 });
    beside.push(await secondsOf(other));
    const still = (await large.import(id)).state;
    await large.ended(id);
    say(
      `> alone ${alone.at(-1)?.toFixed(2)} s, beside ${beside.at(-1)?.toFixed(2)} s; the thousand were ${still} then`,
    );
  }
  const misses = missesOfBeside(alone, beside);
  return { passed: misses.length === 0, misses, alone, beside };
}

export function missesOfBeside(alone: readonly number[], beside: readonly number[]): string[] {
  const times = medianOf(beside) / medianOf(alone);
  if (times <= MOST_TIMES) return [];
  return [`the ten took ${times.toFixed(2)} times as long beside a thousand as alone`];
}

export function reportBeside({ alone, beside, misses }: BesideVerdict): string {
  const all = (seconds: readonly number[]): string => seconds.map((one) => one.toFixed(2)).join(', ');
  return [
    `\nTen items alone: ${all(alone)} s; beside a thousand of another workspace: ${all(beside)} s.`,
    `Of the medians: ${(medianOf(beside) / medianOf(alone)).toFixed(2)} times as long.`,
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function secondsOf(api: FleetApi): Promise<number> {
  const startedAt = performance.now();
  const { id } = await api.startImport({ seeds: people(FEW), depth: 1 });
  const { state } = await api.ended(id, { everyMs: 20 });
  if (state !== 'completed') throw new Error(`the import of ten is ${state}`);
  return (performance.now() - startedAt) / 1_000;
}

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));
