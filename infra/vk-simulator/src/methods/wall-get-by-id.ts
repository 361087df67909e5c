import { apiErrors } from '../api-error';
import { postOf } from '../content/posts';
import type { Post } from '../content/posts';
import type { World } from '../content/world';
import { OBJECTS_SINCE } from './method';
import type { Method } from './method';
import { fieldsParameter, flagParameter, listParameter, sizeParameter } from './parameters';
import { peopleAndGroupsOf, refusalOf } from './wall-people';

/** Not documented (assumption). */
const MOST_POSTS = 100;

/** Posts by `<owner>_<post>`; missing and hidden ones are left out. */
export const wallGetById: Method = {
  kinds: ['user', 'service'],
  answer({ world, key, parameters, version }) {
    const wanted = listParameter(parameters, 'posts');
    if (wanted.length === 0) throw apiErrors.missing('posts');
    if (wanted.length > MOST_POSTS) throw apiErrors.invalid('posts');
    const depth = sizeParameter(parameters, 'copy_history_depth', 2, 100);
    const extended = flagParameter(parameters, 'extended');
    const fields = fieldsParameter(parameters);
    const items = wanted.flatMap((name) => found(world, name, depth, key.owner) ?? []);
    if (extended) return { items, ...peopleAndGroupsOf(world, items, fields, key.owner) };
    return version < OBJECTS_SINCE ? items : { items };
  },
};

function found(world: World, name: string, depth: number, viewer: number | null): Post | undefined {
  const [, ownerId, postId] = /^(-?\d{1,15})_(\d{1,15})$/.exec(name) ?? [];
  if (ownerId === undefined) throw apiErrors.invalid('posts');
  const id = Number(ownerId);
  const owner = { id, index: id > 0 ? world.find(id) : world.groups.find(-id) };
  if (owner.index === -1 || refusalOf(world, owner, viewer) !== undefined) return undefined;
  const rank = world.walls.rankOf(owner, Number(postId));
  return rank === 0 ? undefined : postOf(world, owner, rank, depth);
}
