import { apiErrors } from '../api-error';
import { profileOf } from '../profile';
import type { Profile } from '../profile';
import type { Method } from './method';
import { listParameter } from './parameters';

const MOST_IDS = 1000;

/** Unknown ids are left out; when nothing was found and a name was malformed, error 113. */
export const usersGet: Method = {
  kinds: ['user', 'service', 'community'],
  answer({ world, key, parameters }) {
    const wanted = listParameter(parameters, 'user_ids');
    if (wanted.length === 0) {
      if (key.owner === null) throw apiErrors.missing('user_ids');
      wanted.push(String(key.owner));
    }
    if (wanted.length > MOST_IDS) throw apiErrors.invalidUserId();
    const fields = new Set(listParameter(parameters, 'fields'));
    const profiles: Profile[] = [];
    let malformed = false;
    for (const name of wanted) {
      const digits = /^(?:id)?([1-9]\d{0,14})$/.exec(name)?.[1];
      if (digits === undefined) {
        malformed = true;
        continue;
      }
      const index = world.find(Number(digits));
      if (index !== -1) profiles.push(profileOf(world, index, fields, key.owner));
    }
    if (malformed && profiles.length === 0) throw apiErrors.invalidUserId();
    return profiles;
  },
};
