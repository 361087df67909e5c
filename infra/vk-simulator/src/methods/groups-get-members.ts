import { apiErrors } from '../api-error';
import { profileOf } from '../content/profile';
import type { World } from '../content/world';
import type { Method } from './method';
import { choiceParameter, fieldsParameter, offsetParameter, sizeParameter } from './parameters';
import { groupNamed } from './people';

const MOST = 1000;

/** The members of a community: ids ascending, or profiles with `fields`; at most 1000 a page. */
export const groupsGetMembers: Method = {
  kinds: ['user', 'service', 'community'],
  answer({ world, key, parameters }) {
    const name = parameters.get('group_id')?.trim() ?? '';
    if (name === '') throw apiErrors.missing('group_id');
    const sort = choiceParameter(parameters, 'sort', ['id_asc', 'id_desc', 'time_asc', 'time_desc']);
    const filter = choiceParameter(parameters, 'filter', ['donut', 'friends', 'managers', 'unsure']);
    const count = sizeParameter(parameters, 'count', MOST, MOST);
    const offset = offsetParameter(parameters);
    const fields = fieldsParameter(parameters);
    const number = groupNamed(world, name);
    if (number === -1) throw apiErrors.invalidGroupId();
    if (filter === 'managers' || sort?.startsWith('time_') === true) throw apiErrors.needsModerator();
    refuseStranger(world, number, key.owner);
    let members = Array.from(world.groups.members(number));
    if (filter === 'friends') members = friendsAmong(world, members, key.owner);
    else if (filter !== undefined) members = [];
    if (sort === 'id_desc') members.reverse();
    const page = members.slice(offset, offset + count);
    const items =
      fields.size === 0
        ? page.map((index) => world.id(index))
        : page.map((index) => profileOf(world, index, fields, key.owner));
    return { count: members.length, items };
  },
};

function refuseStranger(world: World, number: number, viewer: number | null): void {
  const { groups } = world;
  if (groups.isBanned(number)) throw apiErrors.groupClosed();
  const access = groups.access(number);
  if (access > 0 && !(viewer !== null && groups.isMember(number, world.find(viewer)))) {
    throw access === 2 ? apiErrors.groupClosed() : apiErrors.membersClosed();
  }
  if (groups.hidesMembers(number)) throw apiErrors.membersHidden();
}

function friendsAmong(world: World, members: number[], viewer: number | null): number[] {
  const index = viewer === null ? -1 : world.find(viewer);
  if (index === -1) return [];
  const friends = new Set(Array.from(world.friends(index)));
  return members.filter((member) => friends.has(member));
}
