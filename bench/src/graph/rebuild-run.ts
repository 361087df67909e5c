import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@sociograph/testing';
import { ROOT } from '../fleet/servers';
import { timesOf, type Times } from '../lease-rpc/figures';
import type { GraphStand } from './graph-stand';
import { memoryMb } from './processes';

export interface RebuildRun {
  /** From asking until the new version answers, and until all its rows are written and a checkpoint is kept. */
  swappedSeconds: number;
  writtenSeconds: number;
  equal: boolean;
  reads: Times;
  failedReads: number;
  memory: { before: number; peak: number };
}

export interface StartRun {
  /** From the end of the old process to the new one's first announcement as the writer. */
  seconds: number;
  checkpoint: boolean;
  memory: number;
}

const READS_PER_SECOND = 50;

/** A rebuild of everything in the projector, and reads of profiles and of the summary all the while. */
export async function rebuildWhileRead(stand: GraphStand): Promise<RebuildRun> {
  const before = memoryMb(stand.pidOf('projector'))?.now ?? NaN;
  const stop = new AbortController();
  const reading = read(stand, stop.signal);
  const text = await rebuild(stand);
  stop.abort();
  const { times, failed } = await reading;
  const [, swapped, written] = /Swapped after ([\d.]+) s, all rows written after ([\d.]+) s/.exec(text) ?? [];
  return {
    swappedSeconds: Number(swapped),
    writtenSeconds: Number(written),
    equal: !text.includes('DIFFERS'),
    reads: timesOf(times),
    failedReads: failed,
    memory: { before, peak: memoryMb(stand.pidOf('projector'))?.peak ?? NaN },
  };
}

/** Ends the projector in good order; the supervisor starts another one, which takes up the checkpoint. */
export async function startAgain(stand: GraphStand): Promise<StartRun> {
  const old = stand.pidOf('projector');
  process.kill(old, 'SIGTERM');
  await eventually(() => stand.pids().get('read-model-projector-0') !== old, {
    timeoutMs: 60_000,
    everyMs: 10,
  });
  const since = performance.now();
  const writes = async (): Promise<boolean> => (await stand.metric('projector', 'projector_writer')) === 1;
  await eventually(writes, { timeoutMs: 10 * 60_000, everyMs: 20 });
  const seconds = (performance.now() - since) / 1000;
  const resumed = await stand.metric('projector', 'projector_checkpoints_total', 'what="resumed"');
  return { seconds, checkpoint: resumed === 1, memory: memoryMb(stand.pidOf('projector'))?.now ?? NaN };
}

/** What a reader sees: anything but 200 with the degree that the world has is a failure. */
async function read(
  { views, world, scope }: GraphStand,
  stop: AbortSignal,
): Promise<{ times: number[]; failed: number }> {
  const times: number[] = [];
  const open = new Set<Promise<void>>();
  let failed = 0;
  const one = async (number: number): Promise<void> => {
    const person = (number * 7919) % world.size.people;
    const path =
      number % 10 === 0
        ? `graphs/${scope.network}/summary`
        : `profiles/${scope.network}/${world.idOf(person)}`;
    const asked = performance.now();
    const { status, body } = await views.get(`/v1/${path}`).catch(() => ({ status: 0, body: undefined }));
    times.push(performance.now() - asked);
    const { degree, users } = (body ?? {}) as { degree?: number; users?: number };
    const right = number % 10 === 0 ? users === world.everybody : degree === world.degreeOf(person);
    if (status !== 200 || !right) failed += 1;
  };
  for (let number = 0; !stop.aborted; number += 1) {
    const reading = one(number).finally(() => open.delete(reading));
    open.add(reading);
    await delay(1000 / READS_PER_SECOND);
  }
  await Promise.all(open);
  return { times, failed };
}

async function rebuild({ env }: GraphStand): Promise<string> {
  const prefix = 'READ_MODEL_PROJECTOR_ARANGO_';
  const own = Object.entries(env).filter(([name]) => name.startsWith(prefix));
  const program = join(ROOT, 'services/read-model-projector/dist/rebuild.js');
  const child = spawn(process.execPath, [program], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      ...Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length - 7), value])),
    },
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString('utf8')));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`the rebuild ended with ${code}: ${text}`);
  return text;
}
