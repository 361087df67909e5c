import { apiErrors } from '../api-error';
import { profileOf } from '../profile';
import { seededHash } from '../seeded-hash';
import type { World } from '../world';
import type { Method, MethodCall } from './method';
import { integerParameter, listParameter, sizeParameter } from './parameters';

const PAGE = 5000;

/** A friend list: ids ascending, or profiles with `fields`; at most 5000 a page. */
export const friendsGet: Method = {
  kinds: ['user', 'service'],
  answer(call) {
    const { world, key, parameters } = call;
    const asked = integerParameter(parameters, 'user_id');
    if (asked !== undefined && asked <= 0) throw apiErrors.notPositive('user_id');
    const id = asked ?? key.owner;
    if (id === null) throw apiErrors.missing('user_id');
    const count = sizeParameter(parameters, 'count', PAGE, PAGE);
    const offset = sizeParameter(parameters, 'offset', 0, Number.MAX_SAFE_INTEGER);
    const friends = friendsOf(call, id);
    const fields = listParameter(parameters, 'fields');
    const order = parameters.get('order');
    if (order === 'random') shuffle(friends, world, id);
    if (order === 'name' && fields.length > 0) sortByName(friends, world);
    const page = friends.slice(offset, offset + count);
    if (fields.length === 0) return { count: friends.length, items: page.map((index) => world.id(index)) };
    const wanted = new Set(fields);
    return { count: friends.length, items: page.map((index) => profileOf(world, index, wanted, key.owner)) };
  },
};

function friendsOf({ world, key }: MethodCall, id: number): number[] {
  const index = world.find(id);
  if (index === -1) {
    // The owner of a generated key lies outside the graph: a real account, without friends in it.
    if (id === key.owner) return [];
    throw apiErrors.invalidUserId();
  }
  const state = world.visibility(index);
  if (state === 'deleted' || state === 'banned') throw apiErrors.deletedOrBanned();
  if (state === 'hidden' && key.owner !== id) throw apiErrors.listHidden();
  if (!world.maySee(index, key.owner)) throw apiErrors.privateProfile();
  return Array.from(world.graph.row(index));
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
