import { catalogueNames, catalogued } from '../src/error-catalogue';
import { Bench, ring } from './stand';
import { faultsBy, knownErrors } from './vk-schema';

const USER_FIELDS =
  'sex,bdate,city,country,home_town,screen_name,domain,photo_50,photo_100,photo_200,status,online,verified,last_seen,followers_count,counters';
const GROUP_FIELDS = 'members_count,description,activity,status,site,verified,city,country';
const GROUP = 20_000_001;
const IDS = Array.from({ length: 60 }, (_, n) => n + 1).join(',');
const GROUP_IDS = Array.from({ length: 60 }, (_, n) => GROUP + n).join(',');

describe("answers, by VK's own schema", () => {
  let bench: Bench;
  beforeAll(async () => {
    const flags = ['--deleted', '7', '--banned', '8', '--private', '9', '--banned-groups', String(GROUP + 3)];
    bench = await Bench.of(ring(60), ...flags, '--new-posts', '1');
  });
  afterAll(() => bench.close());

  it.each([
    ['users.get', { user_ids: IDS }, 'users_get_response'],
    ['users.get', { user_ids: IDS, fields: USER_FIELDS }, 'users_get_response'],
    ['friends.get', { user_id: 1 }, 'friends_get_response'],
    ['friends.get', { user_id: 1, fields: USER_FIELDS }, 'friends_get_fields_response'],
    ['users.getSubscriptions', { user_id: 3 }, 'users_getSubscriptions_response'],
    [
      'users.getSubscriptions',
      { user_id: 3, extended: 1, fields: USER_FIELDS },
      'users_getSubscriptions_extended_response',
    ],
    ['groups.get', { user_id: 1 }, 'groups_get_response'],
    ['groups.get', { user_id: 1, extended: 1, fields: GROUP_FIELDS }, 'groups_get_object_extended_response'],
    ['groups.getById', { group_ids: GROUP_IDS, fields: GROUP_FIELDS }, 'groups_getById_object_response'],
    ['groups.getMembers', { group_id: GROUP }, 'groups_getMembers_response'],
    ['groups.getMembers', { group_id: GROUP, fields: USER_FIELDS }, 'groups_getMembers_fields_response'],
    ['wall.get', { owner_id: -GROUP, count: 100 }, 'wall_get_response'],
    ['wall.get', { owner_id: -GROUP, count: 100, offset: 50, extended: 1 }, 'wall_get_extended_response'],
    ['utils.resolveScreenName', { screen_name: 'id1' }, 'utils_resolveScreenName_response'],
    ['utils.getServerTime', {}, 'utils_getServerTime_response'],
  ] as [string, Record<string, string | number>, string][])(
    '%s answers what the schema says, and something (case %#)',
    async (method, parameters, definition) => {
      const response = await bench.response<object>(method, parameters);
      expect(faultsBy(definition, { response })).toEqual([]);
      expect(JSON.stringify(response).length).toBeGreaterThan(9);
    },
  );

  it('walls of people are too, reposts with their chains included', async () => {
    let reposts = 0;
    for (let person = 1; person <= 20; person += 1) {
      if ([7, 8, 9].includes(person)) continue;
      const parameters = { owner_id: person, count: 100, extended: 1, fields: 'sex,members_count' };
      const response = await bench.response<{ items: { copy_history?: object[]; id: number }[] }>(
        'wall.get',
        parameters,
      );
      expect(faultsBy('wall_get_extended_response', { response })).toEqual([]);
      reposts += response.items.filter((post) => post.copy_history !== undefined).length;
      if (response.items.length === 0) continue;
      const posts = response.items.map(({ id }) => `${person}_${id}`).join(',');
      const again = await bench.response<{ items: object[] }>('wall.getById', {
        posts,
        copy_history_depth: 9,
      });
      expect(faultsBy('wall_getById_response', { response: again })).toEqual([]);
      expect(again.items).toEqual(response.items);
      const extended = await bench.response('wall.getById', { posts, extended: 1 });
      expect(faultsBy('wall_getById_extended_response', { response: extended })).toEqual([]);
    }
    expect(reposts).toBeGreaterThan(3);
  });

  it('the schema finds what is wrong: a field too many, one missing, another type', () => {
    const friends = { count: 1, items: [1] };
    expect(faultsBy('friends_get_response', { response: friends })).toEqual([]);
    expect(faultsBy('friends_get_response', { response: { ...friends, more: 1 } })).toEqual([
      '/response must NOT have unevaluated properties {"unevaluatedProperty":"more"}',
    ]);
    expect(faultsBy('friends_get_response', { response: { items: [1] } })).toHaveLength(1);
    expect(faultsBy('friends_get_response', { response: { count: '1', items: [1] } })).toHaveLength(1);
    expect(faultsBy('users_get_response', { response: [{ id: 1, colour: 'red' }] })).toHaveLength(1);
  });

  it("every error that can be planted begins as VK's list of errors has it", () => {
    const known = knownErrors();
    for (const name of catalogueNames()) {
      const error = catalogued(name);
      const description = known.get(error?.code ?? 0);
      expect([name, error?.message.slice(0, description?.length)]).toEqual([name, description]);
    }
    expect(known.get(14)).toBe('Captcha needed');
  });
});
