import { apiErrors } from '../api-error';
import type { ApiError } from '../api-error';
import { resolve } from '../content/screen-names';
import type { World } from '../content/world';
import type { MethodCall } from './method';
import { integerParameter } from './parameters';

/** Whom `user_id` means: the key's owner when missing. `index` -1: the owner of a key, who lies outside the graph. */
export function askedPerson({ world, key, parameters }: MethodCall): { id: number; index: number } {
  const asked = integerParameter(parameters, 'user_id');
  if (asked !== undefined && asked <= 0) throw apiErrors.notPositive('user_id');
  const id = asked ?? key.owner;
  if (id === null) throw apiErrors.missing('user_id');
  const index = world.find(id);
  // A generated key's owner is a real account, without friends, groups or posts.
  if (index === -1 && id !== key.owner) throw apiErrors.invalidUserId();
  return { id, index };
}

/** What VK answers about somebody who is gone (18) or closed to this viewer (30); undefined when neither. */
export function closednessOf(world: World, index: number, viewer: number | null): ApiError | undefined {
  const state = world.visibility(index);
  if (state === 'deleted' || state === 'banned') return apiErrors.deletedOrBanned();
  return world.maySee(index, viewer) ? undefined : apiErrors.privateProfile();
}

/** The same, thrown. */
export function refuseClosed(world: World, index: number, viewer: number | null): void {
  const closed = closednessOf(world, index, viewer);
  if (closed !== undefined) throw closed;
}

/** The number of the community that an id or a name means, or -1. */
export function groupNamed(world: World, name: string): number {
  if (/^\d{1,15}$/.test(name)) return world.groups.find(Number(name));
  const resolved = resolve(world, name);
  return resolved === undefined || resolved.type === 'user' ? -1 : resolved.number;
}
