import { screenNameOfPerson } from './profile';
import type { World } from './world';

export type Resolved =
  | { type: 'user'; id: number; index: number }
  | { type: 'group' | 'page' | 'event'; id: number; number: number };

/** Whose name this is: `id1`, `club1`, `public1`, `event1`, or a name of its own, all of which end in the id. */
export function resolve(world: World, name: string): Resolved | undefined {
  const [, id] = /(\d{1,15})$/.exec(name) ?? [];
  if (id === undefined) return undefined;
  const index = world.find(Number(id));
  if (index !== -1 && (name === `id${id}` || name === screenNameOfPerson(world, index))) {
    return { type: 'user', id: Number(id), index };
  }
  const number = world.groups.find(Number(id));
  if (number === -1) return undefined;
  const generic = ['club', 'public', 'event'].some((prefix) => name === `${prefix}${id}`);
  if (!generic && name !== world.groups.screenName(number)) return undefined;
  return { type: world.groups.type(number), id: Number(id), number };
}
