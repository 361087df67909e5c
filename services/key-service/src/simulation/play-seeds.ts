import type { RedisRoom } from './redis-room';

/** What the player of a seed answers: whether later ones are still to be played. */
export type Verdict = 'go-on' | 'enough';

/**
 * Plays `count` seeds in their order, as many at once as there are rooms. Seeds have nothing in common, so which of them
 * are under way together changes nothing in any of them; what it saves is turns of the event loop, writes and changes
 * of process, which are shared.
 */
export async function playSeeds(
  rooms: readonly RedisRoom[],
  { from, count }: { from: number; count: number },
  play: (seed: number, room: RedisRoom) => Promise<Verdict>,
): Promise<void> {
  let next = from;
  let enough = false;
  await Promise.all(
    rooms.map(async (room) => {
      while (!enough && next < from + count) {
        const seed = next;
        next += 1;
        if ((await play(seed, room)) === 'enough') enough = true;
      }
    }),
  );
}
