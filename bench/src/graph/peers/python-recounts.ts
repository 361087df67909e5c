import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const IGRAPH = '0.11.8';
const NETWORKX = '3.4.2';
const CACHE = process.env['SOCIOGRAPH_CACHE'] ?? join(homedir(), '.cache', 'sociograph');

export interface PeerRecount {
  library: string;
  version: string;
  seconds: number;
  friendships: number;
  triangles: number;
  averageClustering: number;
  components: number;
}

/** One sentence: why a peer could not be asked. */
export class PeerMissing extends Error {}

/** Full recounts by igraph and networkx, installed once into this user's cache. Throws PeerMissing. */
export async function pythonRecounts(people: number, ends: ArrayLike<number>): Promise<PeerRecount[]> {
  const libraries = await installed();
  const folder = mkdtempSync(join(tmpdir(), 'bench-recount-'));
  try {
    const file = join(folder, 'edges.txt');
    const lines = Array.from({ length: ends.length / 2 }, (_, at) => `${ends[2 * at]} ${ends[2 * at + 1]}`);
    writeFileSync(file, lines.join('\n'));
    const { stdout } = await run('python3', [join(__dirname, 'recount.py'), file, String(people)], {
      env: { ...process.env, PYTHONPATH: libraries },
    });
    const found = JSON.parse(stdout) as Record<string, Omit<PeerRecount, 'library'>>;
    return Object.entries(found).map(([library, figures]) => ({ library, ...figures }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function installed(): Promise<string> {
  const folder = join(CACHE, `graph-peers-${IGRAPH}-${NETWORKX}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, 'draft-'));
  const environment = join(draft, 'venv');
  const site = join(draft, 'site');
  try {
    await run('python3', ['-m', 'venv', environment]);
    const wanted = [`igraph==${IGRAPH}`, `networkx==${NETWORKX}`];
    await run(join(environment, 'bin', 'pip'), ['install', '-q', '--target', site, ...wanted]);
    renameSync(site, folder);
  } catch (error) {
    const [line] = String((error as { stderr?: string }).stderr || (error as Error).message).split('\n');
    throw new PeerMissing(
      `igraph and networkx could not be installed (python3, python3-venv, PyPI): ${line}`,
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
