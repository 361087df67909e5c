import { seededChance } from '@sociograph/testing';
import { World, type WorldSize } from './world';

const SIZE: WorldSize = { people: 300, friends: 10, silent: 60, hermits: 3, hubs: 2, hubFriends: 40 };

describe('World', () => {
  const lists = (world: World): Map<string, string[]> =>
    new Map(Array.from({ length: world.everybody }, (_, person) => [world.idOf(person), world.list(person)]));

  it('has people whose lists agree, and hermits and hubs with silent friends alone', () => {
    const world = new World(SIZE, seededChance(1));
    const shown = lists(world);
    for (const [id, friends] of [...shown].slice(0, SIZE.people))
      for (const friend of friends) expect(shown.get(friend)).toContain(id);
    expect(world.everybody).toBe(365);
    expect([...world.hermits, ...world.hubs]).toEqual([360, 361, 362, 363, 364]);
    expect([360, 361, 362, 363, 364].map((person) => world.degreeOf(person))).toEqual([10, 10, 10, 40, 40]);
    expect([299, 300, 359, 360].map((person) => world.showsList(person))).toEqual([true, false, false, true]);
    expect(world.statistics()).toMatchObject({ users: 365, friendships: 1500 + 3 * 10 + 2 * 40 });
  });

  it('changes one friendship on both lists', () => {
    const world = new World(SIZE, seededChance(2));
    for (let step = 0; step < 40; step += 1) {
      const before = world.statistics().friendships;
      const had = world.list(7);
      const other = world.changeOne(7);
      const has = world.list(7);
      const change = had.length > SIZE.friends ? -1 : 1;
      expect(has.length - had.length).toBe(change);
      expect(world.list(other).includes(world.idOf(7))).toBe(change === 1);
      expect(world.statistics().friendships - before).toBe(change);
    }
  });

  it('lets a hermit lose a friend and get one again', () => {
    const world = new World(SIZE, seededChance(3));
    const degrees = Array.from({ length: 4 }, () => {
      world.toggleOne(361, SIZE.friends);
      return world.degreeOf(361);
    });
    expect(degrees).toEqual([9, 10, 9, 10]);
  });
});
