import { StoreBacklog } from '../domain/ports';
import { FREE_EDGES, HoldBack, MOST_EDGES } from './hold-back';

class LinedUp extends StoreBacklog {
  waiting = 0;

  async edges(): Promise<number> {
    return this.waiting;
  }
}

describe('back-pressure from the graph store', () => {
  it('begins above 250,000 edges and ends at 200,000', async () => {
    expect([FREE_EDGES, MOST_EDGES]).toEqual([200_000, 250_000]);
    const backlog = new LinedUp();
    const noted: [number, boolean][] = [];
    const holdBack = new HoldBack(backlog, (edges, holding) => noted.push([edges, holding]));
    for (const edges of [0, 200_001, 250_000, 250_001, 249_000, 200_001, 200_000, 250_000]) {
      backlog.waiting = edges;
      expect(await holdBack.holds()).toBe(noted.at(-1)?.[1]);
    }
    expect(noted).toEqual([
      ...([
        [0, false],
        [200_001, false],
        [250_000, false],
        [250_001, true],
      ] as const),
      ...([
        [249_000, true],
        [200_001, true],
        [200_000, false],
        [250_000, false],
      ] as const),
    ]);
  });
});
