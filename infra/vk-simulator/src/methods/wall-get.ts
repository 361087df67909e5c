import { apiErrors } from '../api-error';
import { authorOf, postOf } from '../content/posts';
import { resolve } from '../content/screen-names';
import type { Owner } from '../content/walls';
import type { World } from '../content/world';
import type { Method, MethodCall } from './method';
import {
  choiceParameter,
  fieldsParameter,
  flagParameter,
  integerParameter,
  offsetParameter,
  sizeParameter,
} from './parameters';
import { peopleAndGroupsOf, refusalOf } from './wall-people';

const PAGE = 20;
const MOST = 100;
const FILTERS = ['owner', 'others', 'all', 'postponed', 'suggests', 'archived', 'donut'] as const;

/** A wall, the pinned post first, then newest first; at most 100 a page. */
export const wallGet: Method = {
  kinds: ['user', 'service'],
  answer(call) {
    const { world, key, parameters, at } = call;
    const owner = ownerOf(call);
    const count = sizeParameter(parameters, 'count', PAGE, MOST);
    const offset = offsetParameter(parameters);
    const filter = choiceParameter(parameters, 'filter', FILTERS) ?? 'all';
    const extended = flagParameter(parameters, 'extended');
    const fields = fieldsParameter(parameters);
    const refusal = refusalOf(world, owner, key.owner);
    if (refusal !== undefined) throw refusal;
    world.drift.beforePosts(owner.id, offset, at);
    const ranks = owner.index === -1 ? [] : filtered(world, owner, filter);
    const items = ranks.slice(offset, offset + count).map((rank) => postOf(world, owner, rank));
    const answer = { count: ranks.length, items };
    return extended ? { ...answer, ...peopleAndGroupsOf(world, items, fields, key.owner) } : answer;
  },
};

/** `owner_id` wins over `domain`; neither: the key's own wall. */
function ownerOf({ world, key, parameters }: MethodCall): Owner {
  const domain = parameters.get('domain')?.trim() ?? '';
  const asked = integerParameter(parameters, 'owner_id');
  if (asked === undefined && domain !== '') {
    const named = resolve(world, domain);
    if (named === undefined) throw apiErrors.invalidUserId();
    return named.type === 'user' ? named : { id: -named.id, index: named.number };
  }
  const id = asked ?? key.owner;
  if (id === null || id === 0) throw apiErrors.missing('owner_id');
  const index = id > 0 ? world.find(id) : world.groups.find(-id);
  if (index === -1 && id !== key.owner) throw id > 0 ? apiErrors.invalidUserId() : apiErrors.invalidGroupId();
  return { id, index };
}

function filtered(world: World, owner: Owner, filter: (typeof FILTERS)[number]): number[] {
  const ranks = world.walls.ranks(owner);
  if (filter === 'all') return ranks;
  if (filter !== 'owner' && filter !== 'others') return [];
  return ranks.filter((rank) => (authorOf(world, owner, rank) === owner.id) === (filter === 'owner'));
}
