import { playSeeds } from './play-seeds';
import type { RedisRoom } from './redis-room';

const rooms = ['a', 'b', 'c'] as unknown as RedisRoom[];
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('playing seeds', () => {
  it('plays each once, in order, one at a time in each room', async () => {
    const begun: number[] = [];
    const inside = new Set<RedisRoom>();
    await playSeeds(rooms, { from: 5, count: 7 }, async (seed, room) => {
      expect(inside.has(room)).toBe(false);
      inside.add(room);
      begun.push(seed);
      await turn();
      inside.delete(room);
      return 'go-on';
    });
    expect(begun).toEqual([5, 6, 7, 8, 9, 10, 11]);
  });

  it('begins no more once it is enough, and ends those that were begun', async () => {
    const ended: number[] = [];
    await playSeeds(rooms, { from: 1, count: 100 }, async (seed) => {
      for (let turns = 0; turns < (seed === 2 ? 1 : 5); turns += 1) await turn();
      ended.push(seed);
      return seed === 2 ? 'enough' : 'go-on';
    });
    expect(ended).toEqual([2, 1, 3]);
  });

  it('fails with the seed that cannot be played', async () => {
    const play = () => playSeeds(rooms, { from: 1, count: 3 }, () => Promise.reject(new Error('no Redis')));
    await expect(play()).rejects.toThrow('no Redis');
  });
});
