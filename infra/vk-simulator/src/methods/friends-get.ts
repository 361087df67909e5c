import { createHash } from 'node:crypto';
import { apiErrors } from '../api-error';
import { profileOf } from '../content/profile';
import { seededHash } from '../content/seeded-hash';
import type { World } from '../content/world';
import type { Method, MethodCall } from './method';
import { choiceParameter, fieldsParameter, offsetParameter, sizeParameter } from './parameters';
import { askedPerson, refuseClosed } from './people';

const PAGE = 5000;
const ORDERS = ['hints', 'mobile', 'name', 'random', 'smart'] as const;

/** A friend list: ids ascending, or profiles with `fields`; at most 5000 a page. */
export const friendsGet: Method = {
  kinds: ['user', 'service'],
  answer(call) {
    const { world, key, parameters } = call;
    const { id, index } = askedPerson(call);
    const count = sizeParameter(parameters, 'count', PAGE, PAGE);
    const offset = offsetParameter(parameters);
    const order = choiceParameter(parameters, 'order', ORDERS);
    const friends = friendsOf(call, id, index, offset);
    const fields = fieldsParameter(parameters);
    if (order === 'random') shuffle(friends, world, id);
    if (order === 'name' && fields.size > 0) sortByName(friends, world);
    const page = friends.slice(offset, offset + count);
    if (fields.size === 0) return { count: friends.length, items: page.map((friend) => world.id(friend)) };
    const items = page.map((friend) => ({
      ...profileOf(world, friend, fields, key.owner),
      track_code: trackCode(world.seed, world.id(friend)),
    }));
    return { count: friends.length, items };
  },
};

function friendsOf({ world, key, at }: MethodCall, id: number, index: number, offset: number): number[] {
  if (index === -1) return [];
  const state = world.visibility(index);
  if (state === 'hidden' && key.owner !== id) throw apiErrors.listHidden();
  refuseClosed(world, index, key.owner);
  world.drift.beforeFriends(index, offset, at, (other) => world.visibility(other) === 'open');
  return Array.from(world.friends(index));
}

/** Recorded beside every profile of a list; what it means is VK's own affair. */
function trackCode(seed: number, id: number): string {
  return createHash('sha1').update(`${seed} ${id}`).digest('base64url');
}

/** The same order at every call, so that pages of it fit together. */
function shuffle(friends: number[], world: World, id: number): void {
  const rank = (index: number): number => seededHash(world.seed ^ id, 'random order', index);
  friends.sort((a, b) => rank(a) - rank(b));
}

function sortByName(friends: number[], world: World): void {
  const none = new Set<string>();
  const names = new Map(
    friends.map((index) => {
      const profile = profileOf(world, index, none, null);
      return [index, `${profile.first_name} ${profile.last_name}`];
    }),
  );
  friends.sort((a, b) => (names.get(a) as string).localeCompare(names.get(b) as string, 'ru') || a - b);
}
