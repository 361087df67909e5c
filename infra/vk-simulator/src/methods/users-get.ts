import { apiErrors } from '../api-error';
import { profileOf } from '../content/profile';
import type { Profile } from '../content/profile';
import { resolve } from '../content/screen-names';
import type { Method } from './method';
import { fieldsParameter, listParameter } from './parameters';

const MOST_IDS = 1000;

/** Unknown ids are left out; when nothing was found and a name was malformed or nobody's, error 113. */
export const usersGet: Method = {
  kinds: ['user', 'service', 'community'],
  answer({ world, key, parameters }) {
    const wanted = listParameter(parameters, 'user_ids');
    if (wanted.length === 0) {
      if (key.owner === null) throw apiErrors.missing('user_ids');
      wanted.push(String(key.owner));
    }
    if (wanted.length > MOST_IDS) throw apiErrors.invalidUserId();
    const fields = fieldsParameter(parameters);
    const profiles: Profile[] = [];
    let malformed = false;
    for (const name of wanted) {
      const digits = /^(?:id)?([1-9]\d{0,14})$/.exec(name)?.[1];
      let index: number;
      if (digits === undefined) {
        const named = resolve(world, name);
        malformed ||= named?.type !== 'user';
        index = named?.type === 'user' ? named.index : -1;
      } else {
        index = world.find(Number(digits));
      }
      if (index !== -1) profiles.push(profileOf(world, index, fields, key.owner));
    }
    if (malformed && profiles.length === 0) throw apiErrors.invalidUserId();
    return profiles;
  },
};
