import { friendsGet } from './friends-get';
import type { Method } from './method';
import { usersGet } from './users-get';

/** Every method but `execute`, which runs others and therefore lives beside the table. Names are case sensitive. */
export const methodTable: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['users.get', usersGet],
  ['friends.get', friendsGet],
  [
    'utils.getServerTime',
    { kinds: ['user', 'service', 'community'], answer: ({ at }) => Math.floor(at / 1000) },
  ],
]);
