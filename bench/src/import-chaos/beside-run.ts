import type { FleetApi } from '@sociograph/api-client';
import { eventually, seeded } from '@sociograph/testing';
import type { ImportChaosOptions } from './arguments';
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

/**
 * Ten friend lists (and profiles) of one workspace, alone and while another one imports a thousand with the same keys. All
 * are drawn from the whole graph: the first ids of a generated one are its hubs, whose friends alone are calls enough
 * for half a minute.
 */
export async function runBeside(
  stand: ChaosStand,
  { people, seed }: Pick<ImportChaosOptions, 'people' | 'seed'>,
  say: (line: string) => void,
): Promise<BesideVerdict> {
  const ids = seeded(seed).shuffle(Array.from({ length: people }, (_, index) => String(index + 1)));
  const few = ids.slice(0, FEW);
  const many = ids.slice(FEW, FEW + MANY);
  await stand.shareKeys([OTHER]);
  const large = await stand.inWorkspace(stand.workspaceId);
  const other = await stand.inWorkspace(OTHER);
  const alone: Took[] = [];
  const beside: Took[] = [];
  // The first one finds a cold fleet.
  await timesOf(other, few);
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(await timesOf(other, few));
    const { id } = await large.startImport({ seeds: many, depth: 1 });
    await eventually(async () => (await large.import(id)).counters.calls.made >= 2, { timeoutMs: 60_000 });
    beside.push(await timesOf(other, few));
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

async function timesOf(api: FleetApi, seeds: string[]): Promise<Took> {
  const startedAt = performance.now();
  const passed = (): number => (performance.now() - startedAt) / 1_000;
  const { id } = await api.startImport({ seeds, depth: 1 });
  const everyMs = 20;
  await eventually(async () => (await api.import(id)).state !== 'running', { timeoutMs: 60_000, everyMs });
  const fetched = passed();
  const { state } = await api.ended(id, { everyMs });
  if (state !== 'completed') throw new Error(`the import of ten is ${state}`);
  return { fetched, completed: passed() };
}
