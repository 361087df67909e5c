import { apiErrors } from '../api-error';
import type { ApiError } from '../api-error';
import { groupObject } from '../content/group-object';
import type { Post } from '../content/posts';
import { profileOf } from '../content/profile';
import type { Owner } from '../content/walls';
import type { World } from '../content/world';
import { closednessOf } from './people';

/** Everybody whom the posts name: what `extended` adds to an answer. */
export function peopleAndGroupsOf(
  world: World,
  posts: readonly Post[],
  fields: ReadonlySet<string>,
  viewer: number | null,
): { profiles: object[]; groups: object[] } {
  const ids = new Set<number>();
  for (const post of posts.flatMap((one) => [one, ...(one.copy_history ?? [])])) {
    ids.add(post.owner_id).add(post.from_id);
    if (post.signer_id !== undefined) ids.add(post.signer_id);
  }
  const named = [...ids];
  return {
    profiles: named
      .filter((id) => id > 0 && world.find(id) !== -1)
      .map((id) => profileOf(world, world.find(id), fields, viewer)),
    groups: named
      .filter((id) => id < 0)
      .map((id) => groupObject(world, world.groups.find(-id), fields, viewer)),
  };
}

/** What VK answers when this viewer does not get to see the wall; undefined when it does. */
export function refusalOf(world: World, owner: Owner, viewer: number | null): ApiError | undefined {
  const { walls, groups } = world;
  if (owner.index === -1) return undefined;
  if (owner.id > 0) {
    const closed = closednessOf(world, owner.index, viewer);
    if (closed !== undefined) return closed;
    if (walls.isBlocked(owner)) return apiErrors.contentBlocked();
    return walls.isClosed(owner) && viewer !== owner.id ? apiErrors.wallHidden() : undefined;
  }
  if (groups.isBanned(owner.index)) return apiErrors.groupBlocked();
  if (walls.isBlocked(owner)) return apiErrors.contentBlocked();
  if (walls.isClosed(owner)) return apiErrors.wallDisabled();
  const member = viewer !== null && groups.isMember(owner.index, world.find(viewer));
  return groups.access(owner.index) > 0 && !member ? apiErrors.wallForMembers() : undefined;
}
