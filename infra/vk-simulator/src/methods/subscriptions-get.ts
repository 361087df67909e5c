import { groupObject } from '../content/group-object';
import { profileOf } from '../content/profile';
import { seededHash } from '../content/seeded-hash';
import type { World } from '../content/world';
import type { Method } from './method';
import { fieldsParameter, flagParameter, offsetParameter, sizeParameter } from './parameters';
import { askedPerson, refuseClosed } from './people';

const PAGE = 20;
const MOST = 200;
const MOST_FOLLOWED = 5;

/** users.getSubscriptions: people and public pages that somebody follows; pages of objects when `extended`. */
export const usersGetSubscriptions: Method = {
  kinds: ['user', 'service'],
  answer(call) {
    const { world, key, parameters } = call;
    const { index } = askedPerson(call);
    const extended = flagParameter(parameters, 'extended');
    const count = sizeParameter(parameters, 'count', PAGE, MOST);
    const offset = offsetParameter(parameters);
    const fields = fieldsParameter(parameters);
    if (index !== -1) refuseClosed(world, index, key.owner);
    const people = index === -1 ? [] : followedBy(world, index);
    const pages = index === -1 ? [] : world.groups.of(index).filter((number) => isPage(world, number));
    if (!extended) {
      return {
        users: { count: people.length, items: people.map((person) => world.id(person)) },
        groups: { count: pages.length, items: pages.map((number) => world.groups.id(number)) },
      };
    }
    const items = [
      ...people.map((person) => ({ ...profileOf(world, person, fields, key.owner), type: 'profile' })),
      ...pages.map((number) => groupObject(world, number, fields, key.owner)),
    ];
    return { count: items.length, items: items.slice(offset, offset + count) };
  },
};

function isPage(world: World, number: number): boolean {
  return world.groups.type(number) === 'page' && world.groups.access(number) === 0;
}

/** Up to five people drawn from the whole graph, ascending; never the person, never a friend. */
function followedBy(world: World, index: number): number[] {
  const friends = new Set(Array.from(world.friends(index)));
  const found = new Set<number>();
  const draws = seededHash(world.seed, 'follows', index) % (MOST_FOLLOWED + 1);
  for (let draw = 0; draw < draws; draw += 1) {
    const other = seededHash(world.seed, 'followed', index * 8 + draw) % world.graph.people;
    if (other !== index && !friends.has(other)) found.add(other);
  }
  return [...found].sort((a, b) => a - b);
}
