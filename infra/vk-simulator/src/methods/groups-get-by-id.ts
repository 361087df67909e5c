import { apiErrors } from '../api-error';
import { groupObject } from '../content/group-object';
import { OBJECTS_SINCE } from './method';
import type { Method } from './method';
import { fieldsParameter, listParameter } from './parameters';
import { groupNamed } from './people';

/** The commonly quoted maximum (VK's schema has none). */
const MOST_IDS = 500;

/** Communities by id or name; whoever is unknown is left out, and 100 when nobody is left (assumption). */
export const groupsGetById: Method = {
  kinds: ['user', 'service', 'community'],
  answer({ world, key, parameters, version }) {
    const wanted = [...listParameter(parameters, 'group_ids'), ...listParameter(parameters, 'group_id')];
    if (wanted.length === 0) throw apiErrors.missing('group_ids');
    if (wanted.length > MOST_IDS) throw apiErrors.invalid('group_ids');
    const fields = fieldsParameter(parameters);
    const groups = wanted
      .map((name) => groupNamed(world, name))
      .filter((number) => number !== -1)
      .map((number) => groupObject(world, number, fields, key.owner));
    if (groups.length === 0) throw apiErrors.invalid('group_ids');
    return version < OBJECTS_SINCE ? groups : { groups, profiles: [] };
  },
};
