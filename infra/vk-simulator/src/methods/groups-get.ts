import { apiErrors } from '../api-error';
import { groupObject } from '../content/group-object';
import type { GroupType } from '../content/groups';
import type { Method } from './method';
import {
  choicesParameter,
  fieldsParameter,
  flagParameter,
  offsetParameter,
  sizeParameter,
} from './parameters';
import { askedPerson, refuseClosed } from './people';

const MOST = 1000;
const FILTERS = [
  'admin',
  'editor',
  'moder',
  'advertiser',
  'groups',
  'publics',
  'events',
  'has_addresses',
] as const;
const TYPES: Partial<Record<(typeof FILTERS)[number], GroupType>> = {
  groups: 'group',
  publics: 'page',
  events: 'event',
};

/**
 * The communities of a person; private ones show to the person alone. A missing `count` means 1000 here (not
 * documented). Nobody administers anything, so filters by role find nothing.
 */
export const groupsGet: Method = {
  kinds: ['user', 'service'],
  answer(call) {
    const { world, key, parameters } = call;
    const { id, index } = askedPerson(call);
    const filters = choicesParameter(parameters, 'filter', FILTERS);
    const extended = flagParameter(parameters, 'extended');
    const count = sizeParameter(parameters, 'count', MOST, MOST);
    const offset = offsetParameter(parameters);
    const fields = fieldsParameter(parameters);
    if (index !== -1) refuseClosed(world, index, key.owner);
    if (index !== -1 && id !== key.owner && world.hidesGroups(index)) throw apiErrors.groupsHidden();
    const { groups } = world;
    const types = filters.map((filter) => TYPES[filter]);
    const shown = (index === -1 ? [] : groups.of(index)).filter(
      (number) =>
        (groups.access(number) !== 2 || id === key.owner) &&
        (filters.length === 0 || types.includes(groups.type(number))),
    );
    const page = shown.slice(offset, offset + count);
    const items = extended
      ? page.map((number) => groupObject(world, number, fields, key.owner))
      : page.map((number) => groups.id(number));
    return { count: shown.length, items };
  },
};
