import { Secret } from '@sociograph/kernel';
import { VkNetwork } from './client';
import { friendsScript, longListScript } from './execute-script';

const vk = new VkNetwork();
const answer = (content: unknown) => JSON.stringify(content);
const error = (code: number, message = 'text') => answer({ error: { error_code: code, error_msg: message } });
const page = (...items: number[]) => ({ count: items.length, items });
const lists = (people: string[], content: unknown) => {
  const reading = vk.read('lists', people, 200, answer(content));
  return reading.kind === 'read' ? Object.fromEntries(reading.outcomes) : reading;
};

describe('requests to VK', () => {
  it('packs friend lists into one execute with the ids as data', () => {
    const request = vk.request('lists', ['1', '22'], new Secret('vk1.a.secret'));
    expect(request).toMatchObject({
      path: '/execute',
      headers: { authorization: 'Bearer vk1.a.secret', 'content-type': 'application/x-www-form-urlencoded' },
      timeoutMs: 10_000,
    });
    expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual({
      code: friendsScript(['1', '22']),
      v: '5.199',
    });
    expect(friendsScript(['1', '22'])).toBe(
      'var ids = [1,22]; var out = []; var i = 0; ' +
        'while (i < ids.length) { out.push(API.friends.get({"user_id": ids[i], "count": 5000})); i = i + 1; } ' +
        'return out;',
    );
  });

  it('walks the pages of a long list in one execute', () => {
    const request = vk.request('long-list', ['7'], new Secret('t'));
    expect(new URLSearchParams(request.body).get('code')).toBe(longListScript('7'));
    expect(longListScript('7')).toContain('var offsets = [0,5000,10000,15000];');
    expect(longListScript('7')).toContain('{"user_id": 7, "count": 5000, "offset": offsets[i]}');
  });

  it('asks for profiles by ids, with no more fields than VK always gives', () => {
    const request = vk.request('profiles', ['1', '2'], new Secret('t'));
    expect([request.path, request.body]).toEqual(['/users.get', 'user_ids=1%2C2&v=5.199']);
  });

  it('says which methods a call needs', () => {
    expect(vk.methods('lists', ['1', '2'])).toEqual({ 'friends.get': 2 });
    expect(vk.methods('long-list', ['1'])).toEqual({ 'friends.get': 4 });
    expect(vk.methods('profiles', ['1', '2'])).toEqual({ 'users.get': 1 });
    expect(vk.packSizes).toEqual({ lists: 25, profiles: 1_000 });
  });

  it.each([
    ['1', '1'],
    ['9007199254740991', '9007199254740991'],
    ['9007199254740992', undefined],
    ['0', undefined],
    ['-5', undefined],
    ['007', undefined],
    ['durov', undefined],
    ['', undefined],
  ])('takes %j as the id %j', (given, id) => {
    expect(vk.personId(given)).toBe(id);
  });
});

describe('friend lists from VK', () => {
  it('are matched to people by position', () => {
    const reading = vk.read('lists', ['1', '2'], 200, answer({ response: [page(5, 6), page()] }));
    expect(reading).toEqual({
      kind: 'read',
      outcomes: new Map([
        ['1', { kind: 'list', friendIds: ['5', '6'], total: 2 }],
        ['2', { kind: 'list', friendIds: [], total: 0 }],
      ]),
      errors: [],
      made: { 'friends.get': 2 },
    });
  });

  it('give each failed one its own error, with or without the entry of the script itself', () => {
    const entries = [
      { method: 'friends.get', error_code: 30, error_msg: 'This profile is private' },
      { method: 'friends.get', error_code: 18, error_msg: 'User was deleted or banned' },
    ];
    const expected = {
      '1': { kind: 'absent', cause: 'private' },
      '2': { kind: 'list', friendIds: ['5'], total: 1 },
      '3': { kind: 'absent', cause: 'deleted' },
    };
    const response = [false, page(5), false];
    const trailing = { method: 'execute', error_code: 18, error_msg: 'User was deleted or banned' };
    expect(lists(['1', '2', '3'], { response, execute_errors: entries })).toEqual(expected);
    expect(lists(['1', '2', '3'], { response, execute_errors: [...entries, trailing] })).toEqual(expected);
    const reading = vk.read(
      'lists',
      ['1', '2', '3'],
      200,
      answer({ response, execute_errors: [...entries, trailing] }),
    );
    expect(reading.errors).toEqual([
      { method: 'friends.get', code: 30, message: 'This profile is private' },
      { method: 'friends.get', code: 18, message: 'User was deleted or banned' },
    ]);
  });

  it.each([
    [15, 'Access denied: user deactivated', { kind: 'absent', cause: 'deleted' }],
    [15, 'Access denied', { kind: 'absent', cause: 'hidden' }],
    [
      15,
      'Access denied: no access to call this method',
      { kind: 'again', blame: 'key', cause: 'error 15 of friends.get' },
    ],
    [18, 'User was deleted or banned', { kind: 'absent', cause: 'deleted' }],
    [30, 'This profile is private', { kind: 'absent', cause: 'private' }],
    [37, 'User was banned', { kind: 'absent', cause: 'deleted' }],
    [39, 'Unknown user', { kind: 'absent', cause: 'unknown' }],
    [113, 'Invalid user id', { kind: 'absent', cause: 'unknown' }],
    [29, 'Rate limit reached', { kind: 'again', blame: 'key', cause: 'error 29 of friends.get' }],
    [10, 'Internal server error', { kind: 'again', blame: 'item', cause: 'error 10 of friends.get' }],
    [
      43,
      'This section is temporary unavailable',
      { kind: 'again', blame: 'item', cause: 'error 43 of friends.get' },
    ],
  ])('with the inner error %s (%s) mean %j', (code, message, outcome) => {
    const execute_errors = [{ method: 'friends.get', error_code: code, error_msg: message }];
    expect(lists(['1'], { response: [false], execute_errors })).toEqual({ '1': outcome });
  });

  it('of more than a page are fetched page by page', () => {
    const items = Array.from({ length: 5_000 }, (_, index) => index + 1);
    expect(lists(['1'], { response: [{ count: 5_001, items }] })).toEqual({ '1': { kind: 'too-long' } });
    expect(lists(['1'], { response: [{ count: 5_000, items }] })).toMatchObject({
      '1': { kind: 'list', total: 5_000 },
    });
  });

  it('that are shorter than promised stay incomplete', () => {
    expect(lists(['1'], { response: [{ count: 3, items: [5, 6] }] })).toEqual({
      '1': { kind: 'list', friendIds: ['5', '6'], total: 3 },
    });
  });

  it('name nobody twice', () => {
    expect(lists(['1'], { response: [{ count: 3, items: [5, 6, 5] }] })).toEqual({
      '1': { kind: 'list', friendIds: ['5', '6'], total: 2 },
    });
  });

  it.each([
    [
      'a missing field',
      [{ items: [] }],
      'response[0].count: Invalid input: expected number, received undefined',
    ],
    [
      'a changed type',
      [{ count: 1, items: ['5'] }],
      'response[0].items[0]: Invalid input: expected number, received string',
    ],
    ['a false without an error', [false], 'response[0]: false without an entry in execute_errors'],
    ['a missing answer', [], 'response[0]: missing'],
    ['no array', { count: 1 }, 'response: expected array'],
  ])('with %s are an error that names the field', (_name, response, fault) => {
    expect(lists(['1'], { response })).toEqual({
      '1': { kind: 'again', blame: 'item', cause: `unreadable answer: ${fault}` },
    });
  });

  it('over many pages are one list without what drift brought twice', () => {
    const pages = [
      { count: 4, items: [1, 2] },
      { count: 4, items: [2, 3] },
      { count: 4, items: [] },
      { count: 5, items: [4, 9] },
    ];
    const reading = vk.read('long-list', ['7'], 200, answer({ response: pages }));
    expect(reading).toMatchObject({
      kind: 'read',
      outcomes: new Map([['7', { kind: 'list', friendIds: ['1', '2', '3', '4', '9'], total: 5 }]]),
      made: { 'friends.get': 4 },
    });
  });

  it('over many pages fail with the page that failed', () => {
    const execute_errors = [{ method: 'friends.get', error_code: 30, error_msg: 'private' }];
    const response = [page(1), false, page(), page()];
    expect(vk.read('long-list', ['7'], 200, answer({ response, execute_errors }))).toMatchObject({
      outcomes: new Map([['7', { kind: 'absent', cause: 'private' }]]),
    });
    expect(vk.read('long-list', ['7'], 200, answer({ response: [page(1)] }))).toMatchObject({
      outcomes: new Map([
        ['7', { kind: 'again', blame: 'item', cause: 'unreadable answer: response[1]: missing' }],
      ]),
    });
  });
});

describe('profiles from VK', () => {
  const profiles = (people: string[], response: unknown) => {
    const reading = vk.read('profiles', people, 200, answer({ response }));
    return reading.kind === 'read' ? Object.fromEntries(reading.outcomes) : reading;
  };

  it('keep names and whether they are closed', () => {
    const response = [
      { id: 2, first_name: 'B', last_name: 'C'.repeat(300), is_closed: true, can_access_closed: false },
      { id: 1, first_name: 'A', last_name: '', sex: 2, deactivated: 'banned' },
    ];
    expect(profiles(['1', '2'], response)).toEqual({
      '1': { kind: 'profile', state: 'banned', profile: { firstName: 'A', lastName: '' } },
      '2': {
        kind: 'profile',
        state: 'active',
        profile: { firstName: 'B', lastName: 'C'.repeat(256), closed: true },
      },
    });
  });

  it('that VK leaves out are of people nobody knows', () => {
    expect(profiles(['1'], [])).toEqual({ '1': { kind: 'absent', cause: 'unknown' } });
  });

  it('that cannot be read name the field', () => {
    const fault = (path: string) => ({
      kind: 'again',
      blame: 'item',
      cause: `unreadable answer: ${path}`,
    });
    expect(profiles(['1'], [{ id: 1, first_name: 'A' }])).toEqual({
      '1': fault('response[0].last_name: Invalid input: expected string, received undefined'),
    });
    expect(
      profiles(
        ['1', '2'],
        [
          { first_name: 'A', last_name: 'B' },
          { id: 2, first_name: 'C', last_name: 'D' },
        ],
      ),
    ).toEqual({
      '1': fault('response[0].id: Invalid input: expected number, received undefined'),
      '2': { kind: 'profile', state: 'active', profile: { firstName: 'C', lastName: 'D' } },
    });
    expect(profiles(['1'], {})).toEqual({ '1': fault('response: expected array') });
  });
});

describe('failures of whole calls to VK', () => {
  it.each([5, 6, 7, 9, 14, 17, 27, 28, 29, 42, 1117, 3609, 3610])('of code %s are the key`s', (code) => {
    expect(vk.read('lists', ['1'], 200, error(code))).toEqual({
      kind: 'failed',
      blame: 'key',
      cause: `error ${code} of execute`,
      failure: { method: 'execute', code, message: 'text' },
      errors: [],
      made: {},
    });
  });

  it.each([13, 36])('of code %s ask for a smaller call', (code) => {
    expect(vk.read('lists', ['1', '2'], 200, error(code))).toEqual({
      kind: 'split',
      cause: `error ${code} of execute`,
      failure: { method: 'execute', code, message: 'text' },
      errors: [],
      made: { 'friends.get': 2 },
    });
  });

  it.each([1, 3, 10, 43])('of code %s are tried again', (code) => {
    expect(vk.read('profiles', ['1'], 200, error(code))).toMatchObject({
      kind: 'failed',
      blame: 'item',
      cause: `error ${code} of users.get`,
    });
  });

  it('of a bad id halve the call until the id is alone', () => {
    expect(vk.read('profiles', ['1', '2'], 200, error(113))).toMatchObject({
      kind: 'split',
      made: { 'users.get': 1 },
    });
    expect(vk.read('profiles', ['1'], 200, error(100))).toMatchObject({
      kind: 'read',
      outcomes: new Map([['1', { kind: 'absent', cause: 'unknown' }]]),
    });
  });

  it.each([
    [502, '<html>', 'http status 502'],
    [200, '{"response":[', 'unreadable answer: not JSON'],
    [200, '[]', 'unreadable answer: : Invalid input: expected object, received array'],
    [
      200,
      '{"error":{"error_code":"6"}}',
      'unreadable answer: .error.error_code: Invalid input: expected number, received string',
    ],
  ])('with status %s and %j are tried again', (status, body, cause) => {
    expect(vk.read('lists', ['1'], status, body)).toEqual({
      kind: 'failed',
      blame: 'item',
      cause,
      errors: [],
      made: {},
    });
  });
});
