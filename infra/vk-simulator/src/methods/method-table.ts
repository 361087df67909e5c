import { apiErrors } from '../api-error';
import { resolve } from '../content/screen-names';
import { friendsGet } from './friends-get';
import { groupsGet } from './groups-get';
import { groupsGetById } from './groups-get-by-id';
import { groupsGetMembers } from './groups-get-members';
import type { Method } from './method';
import { usersGetSubscriptions } from './subscriptions-get';
import { usersGet } from './users-get';
import { wallGet } from './wall-get';
import { wallGetById } from './wall-get-by-id';

const getServerTime: Method = {
  kinds: ['user', 'service', 'community'],
  answer: ({ at }) => Math.floor(at / 1000),
};

/** An empty list where nobody has the name: so it is in practice, though the schema promises an object. */
const resolveScreenName: Method = {
  kinds: ['user', 'service', 'community'],
  answer({ world, parameters }) {
    const name = parameters.get('screen_name')?.trim() ?? '';
    if (name === '') throw apiErrors.missing('screen_name');
    const named = resolve(world, name);
    return named === undefined ? [] : { type: named.type, object_id: named.id };
  },
};

/** Every method but `execute`, which runs others and therefore lives beside the table. Names are case sensitive. */
export const methodTable: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['users.get', usersGet],
  ['users.getSubscriptions', usersGetSubscriptions],
  ['friends.get', friendsGet],
  ['groups.get', groupsGet],
  ['groups.getById', groupsGetById],
  ['groups.getMembers', groupsGetMembers],
  ['wall.get', wallGet],
  ['wall.getById', wallGetById],
  ['utils.resolveScreenName', resolveScreenName],
  ['utils.getServerTime', getServerTime],
]);
