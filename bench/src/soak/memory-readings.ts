import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { eventually } from '@sociograph/testing';
import type { DrillStand } from '../fleet/drill-stand';
import { pause } from '../fleet/endless-imports';
import type { MemoryReading } from '../fleet/preload';
import { leastOf, type Memory } from './growth';

const READINGS = 3;
const BETWEEN_MS = 1_500;
/** What stands in for others' products (network, tracing) is not watched. */
const BESIDE_SERVICES = ['gateway', 'jwks-reconciler'];

export interface HeldBy {
  readonly name: string;
  readonly pid: number;
  readonly memory: Memory;
}

/** Every process of the product, with what it holds after its heap was collected. */
export async function heldMemory(stand: DrillStand): Promise<HeldBy[]> {
  const held: HeldBy[] = [];
  for (const { name, pid } of fleetOf(stand)) {
    const readings: Memory[] = [];
    for (let n = 0; n < READINGS; n += 1) {
      readings.push(await collected(stand, pid));
      if (n < READINGS - 1) await pause(BETWEEN_MS);
    }
    held.push({ name, pid, memory: leastOf(readings) });
  }
  return held;
}

/** Names and ids of the product's processes. */
export function fleetOf(stand: DrillStand): { name: string; pid: number }[] {
  const names = [...stand.services(), ...BESIDE_SERVICES];
  return stand
    .processes()
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
}

export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Asks the process by SIGUSR2 (`fleet/preload`), which answers in a file. */
async function collected(stand: DrillStand, pid: number): Promise<MemoryReading> {
  const file = stand.memoryFile(pid);
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  return eventually(() => JSON.parse(readFileSync(file, 'utf8')) as MemoryReading, { timeoutMs: 30_000 });
}
