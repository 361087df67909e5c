import type { FleetApi } from '@sociograph/api-client';
import { eventually } from '@sociograph/testing';
import type { ChaosStand } from './fleet-stand';

export interface BesideVerdict {
  readonly passed: boolean;
  readonly misses: readonly string[];
  readonly alone: readonly Took[];
  readonly beside: readonly Took[];
}

/** Seconds of the ten: until all was fetched, and until it was completed, which is when the views have all of it. */
export interface Took {
  readonly fetched: number;
  readonly completed: number;
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
  const alone: Took[] = [];
  const beside: Took[] = [];
  // The first one finds a cold fleet.
  await timesOf(other);
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(await timesOf(other));
    const { id } = await large.startImport({ seeds: people(MANY), depth: 1 });
    await eventually(async () => (await large.import(id)).counters.calls.made >= 2, { timeoutMs: 60_000 });
    beside.push(await timesOf(other));
    const still = (await large.import(id)).state;
    await large.ended(id);
    say(
      `> alone ${alone.slice(-1).map(inWords).join()}, beside ${beside.slice(-1).map(inWords).join()}; the thousand were ${still} then`,
    );
  }
  const misses = missesOfBeside(alone, beside);
  return { passed: misses.length === 0, misses, alone, beside };
}

export function missesOfBeside(alone: readonly Took[], beside: readonly Took[]): string[] {
  const times = medianOf(beside) / medianOf(alone);
  if (times <= MOST_TIMES) return [];
  return [`the ten took ${times.toFixed(2)} times as long beside a thousand as alone`];
}

export function reportBeside({ alone, beside, misses }: BesideVerdict): string {
  return [
    '\nTen items, seconds until completed (until all was fetched).',
    `Alone: ${alone.map(inWords).join(', ')}; beside a thousand of another workspace: ${beside.map(inWords).join(', ')}.`,
    `Of the medians: ${(medianOf(beside) / medianOf(alone)).toFixed(2)} times as long.`,
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}

const inWords = ({ fetched, completed }: Took): string => `${completed.toFixed(2)} (${fetched.toFixed(2)})`;

function medianOf(times: readonly Took[]): number {
  const sorted = times.map(({ completed }) => completed).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

async function timesOf(api: FleetApi): Promise<Took> {
  const startedAt = performance.now();
  const passed = (): number => (performance.now() - startedAt) / 1_000;
  const { id } = await api.startImport({ seeds: people(FEW), depth: 1 });
  const everyMs = 20;
  await eventually(async () => (await api.import(id)).state !== 'running', { timeoutMs: 60_000, everyMs });
  const fetched = passed();
  const { state } = await api.ended(id, { everyMs });
  if (state !== 'completed') throw new Error(`the import of ten is ${state}`);
  return { fetched, completed: passed() };
}

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));
