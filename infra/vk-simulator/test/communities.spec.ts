import { Bench, errorOf, ring } from './stand';

interface List {
  count: number;
  items: number[];
}

const PRIVATE = 20_000_002;
const CLOSED = 20_000_003;
const BANNED = 20_000_004;
const HIDES = 20_000_005;

describe('communities', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.of(
      ring(60),
      ...['--groups', '30', '--private-groups', String(PRIVATE), '--closed-groups', String(CLOSED)],
      ...['--banned-groups', String(BANNED), '--hidden-members', String(HIDES)],
      ...['--deleted', '7', '--private', '8', '--hidden-groups', '9', '--crowd', '2500'],
    );
  });
  afterAll(() => bench.close());

  const all = async () => (await bench.page('/groups'))['groups'] as { id: number; screenName: string }[];

  it('have the same members whichever side is asked', async () => {
    const pairs = new Set<string>();
    for (let person = 1; person <= 60; person += 1) {
      if ([7, 8, 9].includes(person)) continue;
      const { count, items } = await bench.response<List>('groups.get', { user_id: person });
      expect(items).toHaveLength(count);
      expect(items).toEqual([...items].sort((a, b) => a - b));
      for (const id of items) pairs.add(`${person} ${id}`);
    }
    const others = new Set<string>();
    for (const { id } of await all()) {
      if ([PRIVATE, CLOSED, BANNED, HIDES].includes(id)) continue;
      for (let offset = 0; ; offset += 1000) {
        const { items } = await bench.response<List>('groups.getMembers', { group_id: id, offset });
        for (const person of items)
          if (person <= 60 && ![7, 8, 9].includes(person)) others.add(`${person} ${id}`);
        if (items.length < 1000) break;
      }
    }
    const open = [...pairs].filter((pair) => ![CLOSED, BANNED, HIDES].some((id) => pair.endsWith(` ${id}`)));
    expect(others.size).toBeGreaterThan(100);
    expect(open.sort()).toEqual([...others].sort());
    expect([...pairs].some((pair) => pair.endsWith(` ${CLOSED}`))).toBe(true);
    expect([...pairs].some((pair) => pair.endsWith(` ${PRIVATE}`))).toBe(false);
  });

  it('answer their members by thousands, in both orders; the crowd of the first is known and friendless', async () => {
    const group_id = 20_000_001;
    const first = await bench.response<List>('groups.getMembers', { group_id, count: 5000 });
    expect([first.items.length, first.count > 2500]).toEqual([1000, true]);
    const last = await bench.response<List>('groups.getMembers', { group_id, offset: 2000, count: 1000 });
    expect(last.items).toHaveLength(first.count - 2000);
    const back = await bench.response<List>('groups.getMembers', { group_id, sort: 'id_desc', count: 1 });
    expect(back.items[0]).toBe(last.items.at(-1));
    const outsider = back.items[0] as number;
    expect(await bench.response('users.get', { user_ids: outsider })).toEqual([
      expect.objectContaining({ id: outsider, is_closed: false }),
    ]);
    expect(await bench.response('friends.get', { user_id: outsider })).toEqual({ count: 0, items: [] });
    expect(await bench.response('groups.get', { user_id: outsider })).toEqual({
      count: 1,
      items: [group_id],
    });
    const profiles = await bench.response<{ items: object[] }>('groups.getMembers', {
      group_id,
      fields: 'sex',
      count: 2,
    });
    expect(profiles.items).toEqual([
      expect.objectContaining({ sex: expect.any(Number) as number }),
      expect.objectContaining({ sex: expect.any(Number) as number }),
    ]);
  });

  it('are a list below version 5.140 and an object from there on, in the order asked for', async () => {
    const group_ids = '20000009, 20000001,20999999';
    const at = (v: string) => bench.response<{ id: number }[]>('groups.getById', { group_ids, v });
    expect((await at('5.131')).map(({ id }) => id)).toEqual([20_000_009, 20_000_001]);
    expect((await at('5.139')).map(({ id }) => id)).toEqual([20_000_009, 20_000_001]);
    for (const v of ['5.140', '5.199', '6.0']) {
      const { groups, profiles } = (await at(v)) as unknown as Record<string, { id: number }[]>;
      expect([groups?.map(({ id }) => id), profiles]).toEqual([[20_000_009, 20_000_001], []]);
    }
    const [banned] = await bench.response<object[]>('groups.getById', { group_id: BANNED, v: '5.131' });
    expect(banned).toMatchObject({ id: BANNED, deactivated: 'banned' });
  });

  it('and people are found by every name they have', async () => {
    const own = (await all()).find(({ screenName }) => /^[a-z]+_/.test(screenName)) as {
      id: number;
      screenName: string;
    };
    const [{ type }] = await bench.response<[{ type: string }]>('groups.getById', {
      group_ids: own.screenName,
      v: '5.131',
    });
    for (const screen_name of [own.screenName, `club${own.id}`, `public${own.id}`]) {
      expect(await bench.response('utils.resolveScreenName', { screen_name })).toEqual({
        type,
        object_id: own.id,
      });
    }
    const people = await bench.response<{ id: number; screen_name: string }[]>('users.get', {
      user_ids: Array.from({ length: 60 }, (_, n) => n + 1).join(','),
      fields: 'screen_name',
    });
    const named = people.find(
      (person) => person.screen_name !== undefined && !person.screen_name.startsWith('id'),
    );
    const screen_name = named?.screen_name ?? '';
    expect(await bench.response('utils.resolveScreenName', { screen_name })).toEqual({
      type: 'user',
      object_id: named?.id,
    });
    expect(await bench.response('users.get', { user_ids: screen_name })).toEqual([
      expect.objectContaining({ id: named?.id }),
    ]);
    for (const nobody of [`x${screen_name}`, 'id0', 'id999', 'club1', 'durov']) {
      expect(await bench.response('utils.resolveScreenName', { screen_name: nobody })).toEqual([]);
    }
  });

  it('filter by what they are, and show themselves in full when asked to', async () => {
    const { count } = await bench.response<List>('groups.get', { user_id: 1 });
    let parts = 0;
    for (const [filter, type] of [
      ['groups', 'group'],
      ['publics', 'page'],
      ['events', 'event'],
    ] as const) {
      const some = await bench.response<{ items: { type: string }[] }>('groups.get', {
        user_id: 1,
        filter,
        extended: 1,
      });
      expect(new Set([...some.items.map((group) => group.type), type])).toEqual(new Set([type]));
      parts += some.items.length;
    }
    expect(parts).toBe(count);
    expect((await bench.response<List>('groups.get', { user_id: 1, filter: 'admin,moder' })).count).toBe(0);
    const pages = await bench.response<List>('groups.get', { user_id: 1, filter: 'publics' });
    const { groups, users } = await bench.response<Record<string, List>>('users.getSubscriptions', {
      user_id: 1,
    });
    expect(groups).toEqual(pages);
    const total = pages.count + (users?.count ?? 0);
    const extended = await bench.response<List>('users.getSubscriptions', {
      user_id: 1,
      extended: 1,
      offset: 1,
      count: 200,
    });
    expect([extended.count, extended.items.length]).toEqual([total, total - 1]);
  });

  it('are followed beside people who are neither friends nor oneself', async () => {
    let followed = 0;
    for (let user_id = 10; user_id <= 60; user_id += 1) {
      const { users } = await bench.response<{ users: List }>('users.getSubscriptions', { user_id });
      const { items } = await bench.response<List>('friends.get', { user_id });
      expect(users.items.filter((id) => id === user_id || items.includes(id))).toEqual([]);
      expect(users.items).toEqual([...new Set(users.items)].sort((a, b) => a - b));
      expect(users.count).toBe(users.items.length);
      followed += users.count;
    }
    expect(followed).toBeGreaterThan(50);
  });

  const parameter = (detail: string) => `One of the parameters specified was missing or invalid: ${detail}`;
  it.each([
    ['groups.get', { user_id: 7 }, 0, 18, 'User was deleted or banned'],
    ['groups.get', { user_id: 8 }, 0, 30, 'This profile is private'],
    [
      'groups.get',
      { user_id: 9 },
      0,
      260,
      "Access to the groups list is denied due to the user's privacy settings",
    ],
    ['groups.get', { user_id: 1, filter: 'mine' }, 0, 100, parameter('filter is invalid')],
    ['groups.get', { user_id: 1, extended: 'yes' }, 0, 100, parameter('extended not integer')],
    ['groups.get', { user_id: 0 }, 0, 100, parameter('user_id should be positive')],
    ['groups.get', { user_id: 1, offset: -1 }, 0, 100, parameter('offset should be positive')],
    ['groups.get', {}, 2, 100, parameter('user_id is undefined')],
    [
      'groups.get',
      { user_id: 1 },
      3,
      27,
      'Group authorization failed: method is unavailable with group auth.',
    ],
    ['users.getSubscriptions', { user_id: 7 }, 2, 18, 'User was deleted or banned'],
    ['users.getSubscriptions', { user_id: 8 }, 2, 30, 'This profile is private'],
    ['users.getSubscriptions', { user_id: 61 }, 2, 113, 'Invalid user id'],
    ['groups.getById', {}, 0, 100, parameter('group_ids is undefined')],
    ['groups.getById', { group_id: 5 }, 0, 100, parameter('group_ids is invalid')],
    ['groups.getMembers', {}, 0, 100, parameter('group_id is undefined')],
    ['groups.getMembers', { group_id: 'nobody' }, 0, 125, 'Invalid group id'],
    ['groups.getMembers', { group_id: 20_000_031 }, 0, 125, 'Invalid group id'],
    [
      'groups.getMembers',
      { group_id: PRIVATE },
      0,
      203,
      'Access to group denied: access to the group is denied',
    ],
    [
      'groups.getMembers',
      { group_id: CLOSED },
      3,
      203,
      'Access to group denied: access to the group members is denied',
    ],
    [
      'groups.getMembers',
      { group_id: BANNED },
      0,
      203,
      'Access to group denied: access to the group is denied',
    ],
    ['groups.getMembers', { group_id: HIDES }, 0, 15, 'Access denied: group hide members'],
    [
      'groups.getMembers',
      { group_id: HIDES, filter: 'managers' },
      0,
      15,
      'Access denied: you should be group moderator',
    ],
    ['groups.getMembers', { group_id: HIDES, sort: 'name' }, 0, 100, parameter('sort is invalid')],
    ['utils.resolveScreenName', {}, 3, 100, parameter('screen_name is undefined')],
  ] as [string, Record<string, string | number>, number, number, string][])(
    '%s %j of key %i is refused with %i',
    async (method, parameters, key, code, message) => {
      expect(await bench.refusal(method, parameters, key)).toEqual([code, message]);
    },
  );

  it('are the same for the same seed and others for another', async () => {
    const same = await Bench.of(ring(60), '--groups', '30');
    const other = await Bench.of(ring(60), '--groups', '30', '--seed', '2');
    const ask = (of: Bench) => of.response('groups.get', { user_id: 3 });
    const [own, again, different] = [await ask(bench), await ask(same), await ask(other)];
    expect(again).toEqual(own);
    expect(different).not.toEqual(own);
    await same.close();
    await other.close();
  });

  it('are nobody to users.get', async () => {
    const reply = await bench.call('users.get', { user_ids: 'club20000001' });
    expect(errorOf(reply)).toEqual([113, 'Invalid user id']);
  });
});
