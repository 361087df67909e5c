import type { ItemOutcome } from '../../../domain/items';
import type { PackKind } from '../../../domain/packing';
import type { CallContent } from '../../../domain/ports';
import { groupProfilesOf, groupsOf, longGroupsOf, subscriptionsOf } from './communities';
import type { VkError } from './errors';
import {
  eachScript,
  FRIENDS_PER_PAGE,
  GROUPS_PER_PAGE,
  MEMBERS_PER_PAGE,
  offsetsOf,
  PAGES_OF_LONG_GROUPS,
  PAGES_OF_LONG_LIST,
  pagesScript,
} from './execute-script';
import { memberPages, membersOf } from './members';
import { namesOf } from './names';
import { fieldsParameter, friendsOf, longFriendsOf, profilesOf } from './people';
import { postsPerPage, wallPages, wallsOf } from './walls';

/** How one kind of call is made: its inner method and how often, what is sent, what the answer means. */
interface VkCall {
  readonly method: string;
  times(content: CallContent): number;
  /** A script for `execute`, or the parameters of the method itself. */
  asks(content: CallContent): { code: string } | { parameters: Record<string, string> };
  read(content: CallContent, response: unknown, errors: readonly VkError[]): Map<string, ItemOutcome>;
}

const eachOnce = ({ people }: CallContent): number => people.length;
const once = (): number => 1;
const first = ({ people }: CallContent): string => people[0] ?? '';

function pagesOf(id: string, pages: number, size: number): { id: string; offset: number }[] {
  return offsetsOf(pages, size).map((offset) => ({ id, offset }));
}

export const VK_CALLS: Record<PackKind, VkCall> = {
  names: {
    method: 'utils.resolveScreenName',
    times: eachOnce,
    asks: ({ people }) => {
      const names = people.map((name) => JSON.stringify(name.slice(1)));
      return { code: eachScript('utils.resolveScreenName', 'screen_name', names) };
    },
    read: ({ people }, response, errors) => namesOf(people, response, errors),
  },
  profiles: {
    method: 'users.get',
    times: once,
    asks: ({ people, scope: { fields } }) => ({
      parameters: {
        user_ids: people.join(','),
        ...(fields.length === 0 ? {} : { fields: fieldsParameter(fields) }),
      },
    }),
    read: ({ people, scope }, response) => profilesOf(people, scope.fields, response),
  },
  lists: {
    method: 'friends.get',
    times: eachOnce,
    asks: ({ people }) => ({
      code: eachScript('friends.get', 'user_id', people, { count: FRIENDS_PER_PAGE }),
    }),
    read: ({ people }, response, errors) => friendsOf(people, response, errors),
  },
  'long-list': {
    method: 'friends.get',
    times: () => PAGES_OF_LONG_LIST,
    asks: (content) => {
      const pages = pagesOf(first(content), PAGES_OF_LONG_LIST, FRIENDS_PER_PAGE);
      return { code: pagesScript('friends.get', 'user_id', pages, { count: FRIENDS_PER_PAGE }) };
    },
    read: (content, response, errors) =>
      new Map([[first(content), longFriendsOf(response, PAGES_OF_LONG_LIST, errors)]]),
  },
  members: {
    method: 'groups.getMembers',
    times: (content) => memberPages(content).length,
    asks: (content) => {
      const fixed = { count: MEMBERS_PER_PAGE };
      return { code: pagesScript('groups.getMembers', 'group_id', memberPages(content), fixed) };
    },
    read: membersOf,
  },
  groups: {
    method: 'groups.get',
    times: eachOnce,
    asks: ({ people }) => ({
      code: eachScript('groups.get', 'user_id', people, { count: GROUPS_PER_PAGE }),
    }),
    read: ({ people }, response, errors) => groupsOf(people, response, errors),
  },
  'long-groups': {
    method: 'groups.get',
    times: () => PAGES_OF_LONG_GROUPS,
    asks: (content) => {
      const pages = pagesOf(first(content), PAGES_OF_LONG_GROUPS, GROUPS_PER_PAGE);
      return { code: pagesScript('groups.get', 'user_id', pages, { count: GROUPS_PER_PAGE }) };
    },
    read: (content, response, errors) =>
      new Map([[first(content), longGroupsOf(first(content), response, PAGES_OF_LONG_GROUPS, errors)]]),
  },
  subscriptions: {
    method: 'users.getSubscriptions',
    times: eachOnce,
    asks: ({ people }) => ({ code: eachScript('users.getSubscriptions', 'user_id', people) }),
    read: ({ people }, response, errors) => subscriptionsOf(people, response, errors),
  },
  'group-profiles': {
    method: 'groups.getById',
    times: once,
    asks: ({ people }) => ({
      parameters: { group_ids: people.map((id) => id.slice(1)).join(','), fields: 'members_count' },
    }),
    read: ({ people }, response) => groupProfilesOf(people, response),
  },
  walls: {
    method: 'wall.get',
    times: eachOnce,
    asks: (content) => {
      const fixed = { count: postsPerPage(content) };
      return { code: pagesScript('wall.get', 'owner_id', wallPages(content), fixed) };
    },
    read: wallsOf,
  },
};
