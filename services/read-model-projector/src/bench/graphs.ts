import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface BenchGraph {
  name: string;
  people: number;
  /** Both ends of each friendship, one after the other. */
  ends: Uint32Array;
}

/** A real graph with published statistics: 4,039 people, 88,234 friendships. */
export function egoFacebook(): BenchGraph {
  const file = join(__dirname, '../../../../infra/vk-simulator/data/ego-facebook.txt.gz');
  const lines = gunzipSync(readFileSync(file)).toString('latin1').trim().split('\n');
  const ends = new Uint32Array(lines.length * 2);
  for (const [at, line] of lines.entries()) {
    const [a, b] = line.split(' ');
    ends[2 * at] = Number(a);
    ends[2 * at + 1] = Number(b);
  }
  return { name: 'ego-Facebook', people: 4039, ends };
}

const CIRCLE = 60;

/**
 * So many friendships among a thirteenth as many people: six in ten within circles of sixty, where triangles are, the
 * others to somebody drawn by how many friends they have, so that there are hubs.
 */
export function generated(friendships: number, random: () => number): BenchGraph {
  const people = Math.floor(friendships / 13);
  const pick = (count: number): number => Math.floor(random() * count);
  const seen = new Set<number>();
  const ends = new Uint32Array(friendships * 2);
  let made = 0;
  while (made < friendships) {
    const a = pick(people);
    const circle = a - (a % CIRCLE);
    const near = random() < 0.6 || made === 0;
    const b = near ? circle + pick(Math.min(CIRCLE, people - circle)) : ends[pick(made * 2)]!;
    const key = Math.min(a, b) * people + Math.max(a, b);
    if (a === b || seen.has(key)) continue;
    seen.add(key);
    ends[2 * made] = a;
    ends[2 * made + 1] = b;
    made++;
  }
  return { name: `generated, ${friendships / 1e6} M`, people, ends };
}

/** mulberry32: the same sequence for the same seed. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
