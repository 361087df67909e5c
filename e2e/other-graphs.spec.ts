import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { graphStatistics, readGraphFile } from '@sociograph/graph-file';
import { seeded } from '@sociograph/testing';
import { Fleet, useWorkspace } from './fleet';

jest.setTimeout(400_000);

const KEYS = 20;

describe('the import of an edge list that nobody tidied', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sociograph-e2e-'));
  const file = join(folder, 'messy.csv.gz');

  beforeAll(() => {
    writeFileSync(file, gzipSync(messyEdgeList(7)));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('ends with the figures of its normal form, many components and isolated people included', async () => {
    const expected = graphStatistics(await readGraphFile(file));
    expect(expected.components).toBeGreaterThan(20);
    await useWorkspace(`e2e-${randomUUID().slice(0, 8)}`);
    const fleet = await Fleet.up(file, { keys: KEYS });
    await fleet.registerKeys();
    const finished = await fleet.completed(await fleet.startImport(), 120_000);
    const summary = await fleet.api.summaryAfter(finished);
    expect(summary).toMatchObject({
      users: expected.users,
      friendships: expected.friendships,
      triangles: expected.triangles,
      components: { count: expected.components, largest: expected.largestComponent },
    });
    expect(summary.averageClustering).toBeCloseTo(expected.averageClustering, 9);
    expect(summary.transitivity).toBeCloseTo(expected.transitivity, 9);
    expect((await fleet.api.stats()).totals.refused).toBe(0);
  });

  it('names private and deleted people as gaps and keeps what others assert of them', async () => {
    await useWorkspace(`e2e-${randomUUID().slice(0, 8)}`);
    const fleet = await Fleet.up(file, { keys: KEYS, simulator: 'private=0.1 deleted=0.05' });
    await fleet.registerKeys();
    const seeds = await fleet.api.seeds(true);
    const finished = await fleet.completed(await fleet.startImport(seeds), 120_000);
    const certificate = await fleet.api.certificate(finished.id);
    const listGaps = certificate.gaps.filter((gap) => gap.what === 'list');
    expect(listGaps.map((gap) => gap.cause).sort()).toEqual(['deleted', 'private']);
    const missing = listGaps.reduce((sum, gap) => sum + gap.count, 0);
    expect(certificate.got.lists + missing).toBe(certificate.expected.lists);
    const summary = await fleet.api.summaryAfter(finished);
    expect(summary.users).toBe(certificate.got.people);
  });
});

/** Two cliques of friends and a few dozen pairs, with everything that makes an edge list untidy. */
function messyEdgeList(seed: number): string {
  const random = seeded(seed);
  const lines = ['# friends of friends', '% exported yesterday', ''];
  const separators = [' ', '\t', ',', ', ', '   '];
  const add = (a: number, b: number): void => {
    const [first, second] = random.next() < 0.5 ? [a, b] : [b, a];
    lines.push(`${first}${separators[Math.floor(random.next() * separators.length)]}${second}`);
    if (random.next() < 0.2) lines.push(`${second}\t${first}`);
  };
  for (let i = 0; i < 3000; i += 1) {
    const base = random.next() < 0.5 ? 0 : 5000;
    add(base + Math.floor(random.next() * 300), base + Math.floor(random.next() * 300));
  }
  for (let i = 0; i < 30; i += 1) add(100_000 + 10 * i, 100_001 + 10 * i);
  lines.push('-3 4', '777777 777777', '0 1');
  return lines.join('\r\n');
}
