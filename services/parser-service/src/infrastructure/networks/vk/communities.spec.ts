import { Secret } from '@sociograph/kernel';
import { aCallContent as of } from '../../../../test/builders';
import type { ItemOutcome } from '../../../domain/items';
import type { PackKind } from '../../../domain/packing';
import { VkNetwork } from './client';

const vk = new VkNetwork();
const read = (kind: PackKind, people: string[], content: object): Record<string, ItemOutcome> => {
  const reading = vk.read(of(kind, people), 200, JSON.stringify(content));
  if (reading.kind !== 'read') throw new Error(`not read: ${JSON.stringify(reading)}`);
  return Object.fromEntries(reading.outcomes);
};
const code = (kind: PackKind, people: string[]): string | null =>
  new URLSearchParams(vk.request(of(kind, people), new Secret('t')).body).get('code');
const list = (person: string, of_: string, ids: string[]) => ({
  kind: 'subscription-list',
  person,
  list: of_,
  outcome: 'complete',
  ids,
});

describe('groups of people from VK', () => {
  it('are lists of their own, and each group is met', () => {
    expect(code('groups', ['1', '2'])).toContain('API.groups.get({"user_id": ids[i], "count": 1000})');
    const response = [
      { count: 2, items: [5, 6] },
      { count: 0, items: [] },
    ];
    expect(read('groups', ['1', '2'], { response })).toEqual({
      '1': {
        kind: 'seen',
        observations: [list('1', 'groups', ['5', '6'])],
        met: [
          { person: '-5', steps: 1 },
          { person: '-6', steps: 1 },
        ],
        rest: { kind: 'none' },
      },
      '2': { kind: 'seen', observations: [list('2', 'groups', [])], met: [], rest: { kind: 'none' } },
    });
  });

  it('that lack some of the total are a part', () => {
    expect(read('groups', ['1'], { response: [{ count: 3, items: [5] }] })['1']).toMatchObject({
      observations: [{ outcome: 'partial', ids: ['5'], total: 3 }],
      rest: { kind: 'partial', detail: '1 of 3' },
    });
  });

  it('of more than a page are fetched alone, in five pages', () => {
    const items = Array.from({ length: 1_000 }, (_, index) => index + 1);
    expect(read('groups', ['1'], { response: [{ count: 1_001, items }] })['1']).toEqual({ kind: 'too-long' });
    expect(code('long-groups', ['1'])).toContain('var offsets = [0,1000,2000,3000,4000];');
    const pages = [
      { count: 1_001, items },
      { count: 1_001, items: [1_001] },
      ...Array(3).fill({ count: 1_001, items: [] }),
    ];
    expect(read('long-groups', ['1'], { response: pages })['1']).toMatchObject({
      observations: [{ list: 'groups', outcome: 'complete' }],
      rest: { kind: 'none' },
    });
    const fewer = [{ count: 5_001, items }, ...Array(4).fill({ count: 5_001, items: [] })];
    expect(read('long-groups', ['1'], { response: fewer })['1']).toMatchObject({
      observations: [{ outcome: 'partial', total: 5_001 }],
      rest: { kind: 'partial', detail: '1000 of 5001' },
    });
  });

  it.each([
    [260, 'Access to the groups list is denied', 'hidden'],
    [30, 'This profile is private', 'private'],
    [18, 'User was deleted or banned', 'deleted'],
  ])('with the inner error %s are absent', (error_code, error_msg, cause) => {
    const execute_errors = [{ method: 'groups.get', error_code, error_msg }];
    expect(read('groups', ['1'], { response: [false], execute_errors })).toEqual({
      '1': { kind: 'absent', cause },
    });
  });
});

describe('subscriptions from VK', () => {
  it('are a list of pages and one of people; pages are met', () => {
    expect(code('subscriptions', ['1'])).toContain('API.users.getSubscriptions({"user_id": ids[i]})');
    const response = [{ users: { count: 1, items: [9] }, groups: { count: 1, items: [5] } }];
    expect(read('subscriptions', ['1'], { response })['1']).toEqual({
      kind: 'seen',
      observations: [list('1', 'pages', ['5']), list('1', 'people', ['9'])],
      met: [{ person: '-5', steps: 1 }],
      rest: { kind: 'none' },
    });
  });

  it('that lack some, or have another shape, say so', () => {
    const response = [{ users: { count: 2, items: [9] }, groups: { count: 0, items: [] } }];
    expect(read('subscriptions', ['1'], { response })['1']).toMatchObject({
      observations: [{ outcome: 'complete' }, { outcome: 'partial', total: 2 }],
      rest: { kind: 'partial', detail: '1 of 2 people' },
    });
    expect(read('subscriptions', ['1'], { response: [{ users: { count: 0, items: [] } }] })['1']).toEqual({
      kind: 'unreadable',
      fault: 'response[0].groups: Invalid input: expected object, received undefined',
    });
  });
});

describe('groups from VK', () => {
  const chess = { id: 5, name: 'Chess', screen_name: 'chess', is_closed: 1, type: 'group', members_count: 7 };

  it('are asked for by their ids and come in both shapes', () => {
    const body = new URLSearchParams(vk.request(of('group-profiles', ['-5', '-6']), new Secret('t')).body);
    expect([body.get('group_ids'), body.get('fields')]).toEqual(['5,6', 'members_count']);
    const seen = {
      '-5': {
        kind: 'seen',
        observations: [
          {
            kind: 'group',
            groupId: '5',
            state: 'active',
            profile: { name: 'Chess', screenName: 'chess', kind: 'group', closed: 'closed', membersCount: 7 },
          },
        ],
        met: [],
        rest: { kind: 'none' },
      },
      '-6': { kind: 'absent', cause: 'unknown' },
    };
    expect(read('group-profiles', ['-5', '-6'], { response: { groups: [chess], profiles: [] } })).toEqual(
      seen,
    );
    expect(read('group-profiles', ['-5', '-6'], { response: [chess] })).toEqual(seen);
  });

  it('may be banned, and may have no more than a name', () => {
    const response = { groups: [{ id: 5, name: 'Chess', deactivated: 'banned' }] };
    expect(read('group-profiles', ['-5'], { response })['-5']).toMatchObject({
      observations: [{ state: 'banned', profile: { name: 'Chess' } }],
    });
  });

  it('of another shape are unreadable, with the path', () => {
    const fault = (path: string) => ({ kind: 'unreadable', fault: path });
    expect(read('group-profiles', ['-5'], { response: { items: [] } })['-5']).toEqual(
      fault('response.groups: expected array'),
    );
    expect(read('group-profiles', ['-5'], { response: { groups: [{ id: 5 }] } })['-5']).toEqual(
      fault('response.groups[0].name: Invalid input: expected string, received undefined'),
    );
    expect(read('group-profiles', ['-5'], { response: { groups: [{ name: 'Chess' }] } })['-5']).toEqual(
      fault('response.groups[0].id: Invalid input: expected number, received undefined'),
    );
  });
});

describe('names from VK', () => {
  it('are resolved to people and groups at the distance of a seed', () => {
    expect(code('names', ['@ada', '@chess'])).toContain('var ids = ["ada","chess"];');
    expect(code('names', ['@ada'])).toContain('API.utils.resolveScreenName({"screen_name": ids[i]})');
    const response = [
      { type: 'user', object_id: 7 },
      { type: 'page', object_id: 5 },
      [],
      { type: 'application', object_id: 3 },
    ];
    const seen = (person: string) => ({
      kind: 'seen',
      observations: [],
      met: [{ person, steps: 0 }],
      rest: { kind: 'none' },
    });
    expect(read('names', ['@ada', '@chess', '@nobody', '@game'], { response })).toEqual({
      '@ada': seen('7'),
      '@chess': seen('-5'),
      '@nobody': { kind: 'absent', cause: 'unknown' },
      '@game': { kind: 'absent', cause: 'unknown' },
    });
  });
});
