import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphStatistics, readGraphFile } from '@sociograph/graph-file';
import { seeded } from '@sociograph/testing';
import { generatedGraph } from './generated-graph';

describe('a generated graph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'generated-graph-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is one component with as many people and friendships as asked, hubs and triangles', async () => {
    const file = join(folder, 'graph.txt');
    writeFileSync(file, generatedGraph(500, 2_000, seeded(3)));
    const statistics = graphStatistics(await readGraphFile(file));
    expect(statistics).toMatchObject({
      users: 500,
      friendships: 2_000,
      components: 1,
      largestComponent: 500,
    });
    expect(statistics.triangles).toBeGreaterThan(200);
    expect(statistics.degreeDistribution.at(-1)?.[0]).toBeGreaterThan(30);
  });

  it('is the same for the same seed only', () => {
    expect(generatedGraph(50, 100, seeded(1))).toBe(generatedGraph(50, 100, seeded(1)));
    expect(generatedGraph(50, 100, seeded(1))).not.toBe(generatedGraph(50, 100, seeded(2)));
  });
});
