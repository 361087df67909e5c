import { Secret } from '@sociograph/kernel';
import { aCallContent as of } from '../../../../test/builders';
import { VkNetwork } from './client';

const vk = new VkNetwork();
const answer = (content: unknown) => JSON.stringify(content);
const error = (code: number, message = 'text') => answer({ error: { error_code: code, error_msg: message } });
const page = (...items: number[]) => ({ count: items.length, items });
const lists = (people: string[], content: unknown) => {
  const reading = vk.read(of('lists', people), 200, answer(content));
  return reading.kind === 'read' ? Object.fromEntries(reading.outcomes) : reading;
};

describe('requests to VK', () => {
  it('packs friend lists into one execute with the ids as data', () => {
    const request = vk.request(of('lists', ['1', '22']), new Secret('vk1.a.secret'));
    expect(request).toMatchObject({
      path: '/execute',
      headers: { authorization: 'Bearer vk1.a.secret', 'content-type': 'application/x-www-form-urlencoded' },
      timeoutMs: 10_000,
    });
    expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual({
      code:
        'var ids = [1,22]; var out = []; var i = 0; ' +
        'while (i < ids.length) { out.push(API.friends.get({"user_id": ids[i], "count": 5000})); i = i + 1; } ' +
        'return out;',
      v: '5.199',
    });
  });

  it('walks the pages of a long list in one execute', () => {
    const request = vk.request(of('long-list', ['7']), new Secret('t'));
    expect(new URLSearchParams(request.body).get('code')).toBe(
      'var ids = [7,7,7,7]; var offsets = [0,5000,10000,15000]; var out = []; var i = 0; ' +
        'while (i < ids.length) { out.push(API.friends.get({"user_id": ids[i], "count": 5000, "offset": offsets[i]})); i = i + 1; } ' +
        'return out;',
    );
  });

  it('asks for profiles by ids, with no more fields than VK always gives', () => {
    const request = vk.request(of('profiles', ['1', '2']), new Secret('t'));
    expect([request.path, request.body]).toEqual(['/users.get', 'user_ids=1%2C2&v=5.199']);
  });

  it('says which methods a call needs', () => {
    expect(vk.methods(of('lists', ['1', '2']))).toEqual({ 'friends.get': 2 });
    expect(vk.methods(of('long-list', ['1']))).toEqual({ 'friends.get': 4 });
    expect(vk.methods(of('profiles', ['1', '2']))).toEqual({ 'users.get': 1 });
    expect(vk.methods(of('long-groups', ['1']))).toEqual({ 'groups.get': 5 });
    expect(vk.methods(of('walls', ['1', '-2']))).toEqual({ 'wall.get': 2 });
    expect(vk.methods(of('names', ['@a', '@b']))).toEqual({ 'utils.resolveScreenName': 2 });
    expect(vk.methods(of('subscriptions', ['1']))).toEqual({ 'users.getSubscriptions': 1 });
    expect(vk.methods(of('group-profiles', ['-1', '-2']))).toEqual({ 'groups.getById': 1 });
    expect(Object.entries(vk.packSizes).map(([kind, { most, first = most }]) => [kind, most, first])).toEqual(
      [
        ['names', 25, 25],
        ['profiles', 1_000, 1_000],
        ['lists', 25, 25],
        ['long-list', 1, 1],
        ['members', 25, 25],
        ['groups', 25, 25],
        ['long-groups', 1, 1],
        ['subscriptions', 25, 25],
        ['group-profiles', 500, 500],
        ['walls', 25, 5],
      ],
    );
  });

  it.each([
    ['1', '1'],
    ['9007199254740991', '9007199254740991'],
    ['9007199254740992', undefined],
    ['0', undefined],
    ['id7', '7'],
    ['-5', '-5'],
    ['club5', '-5'],
    ['public5', '-5'],
    ['event5', '-5'],
    ['-9007199254740992', undefined],
    ['durov', '@durov'],
    ['@ivan.petrov_1', '@ivan.petrov_1'],
    ['https://vk.com/durov', '@durov'],
    ['m.vk.com/id7', '7'],
    ['vk.ru/club5', '-5'],
    ['007', undefined],
    ['-0', undefined],
    ['a', undefined],
    ['a b', undefined],
    ['a"b', undefined],
    ['', undefined],
  ])('takes the seed %j as %j', (given, id) => {
    expect(vk.subject(given)).toBe(id);
  });
});

describe('friend lists from VK', () => {
  it('are matched to people by position', () => {
    const reading = vk.read(of('lists', ['1', '2']), 200, answer({ response: [page(5, 6), page()] }));
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
      of('lists', ['1', '2', '3']),
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

  const denied = { method: 'friends.get', error_code: 30, error_msg: 'This profile is private' };
  it.each([
    ['fewer errors than failed calls', [false, page(5), false], [denied], 2, 1],
    ['more errors than failed calls', [null, page(5), false], [denied, denied], 1, 2],
  ])('are nobody`s where there are %s', (_what, response, execute_errors, failed, told) => {
    const fault = `execute_errors: expected an entry for each of ${failed} failed calls, not ${told}`;
    const read = lists(['1', '2', '3'], { response, execute_errors });
    expect(read).toMatchObject({ '2': { kind: 'list' }, '3': { kind: 'unreadable', fault } });
    expect(read).toHaveProperty('1.kind', 'unreadable');
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
    [
      'a false without an error',
      [false],
      'execute_errors: expected an entry for each of 1 failed calls, not 0',
    ],
    ['a missing answer', [], 'response[0]: missing'],
    ['no array', { count: 1 }, 'response: expected array'],
  ])('with %s are an error that names the field', (_name, response, fault) => {
    expect(lists(['1'], { response })).toEqual({
      '1': { kind: 'unreadable', fault },
    });
  });

  const long = (...pages: [count: number, ...items: number[]][]) => {
    const response = pages.map(([count, ...items]) => ({ count, items }));
    const reading = vk.read(of('long-list', ['7']), 200, answer({ response }));
    return reading.kind === 'read' ? reading.outcomes.get('7') : reading;
  };

  it('over many pages are one list', () => {
    expect(long([5, 1, 2], [5, 3, 4], [5, 9], [5])).toEqual({
      kind: 'list',
      friendIds: ['1', '2', '3', '4', '9'],
      total: 5,
    });
  });

  it('that changed while they were read are whole where all of the last total was seen, else they moved', () => {
    // Somebody joined behind what was read.
    expect(long([4, 1, 2], [4, 3, 4], [5, 9], [5])).toMatchObject({ kind: 'list', total: 5 });
    // Somebody joined before: one comes twice, the new one is missed.
    expect(long([4, 1, 2], [5, 2, 3], [5, 4], [5])).toEqual({
      kind: 'moved',
      friendIds: ['1', '2', '3', '4'],
      total: 5,
    });
    // Somebody left: one is passed over.
    expect(long([5, 1, 2], [4, 4, 5], [4], [4])).toMatchObject({ kind: 'moved', total: 4 });
    // One comes twice although the totals agree.
    expect(long([4, 1, 2], [4, 2, 3], [4], [4])).toMatchObject({ kind: 'moved', total: 4 });
  });

  it('over many pages fail with the page that failed', () => {
    const execute_errors = [{ method: 'friends.get', error_code: 30, error_msg: 'private' }];
    const response = [page(1), false, page(), page()];
    expect(vk.read(of('long-list', ['7']), 200, answer({ response, execute_errors }))).toMatchObject({
      outcomes: new Map([['7', { kind: 'absent', cause: 'private' }]]),
    });
    expect(vk.read(of('long-list', ['7']), 200, answer({ response: [page(1)] }))).toMatchObject({
      outcomes: new Map([['7', { kind: 'unreadable', fault: 'response[1]: missing' }]]),
    });
  });
});

describe('profiles from VK', () => {
  const profiles = (people: string[], response: unknown) => {
    const reading = vk.read(of('profiles', people), 200, answer({ response }));
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
      kind: 'unreadable',
      fault: path,
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
  it.each([
    ...[5, 6, 7, 9, 14, 17, 27, 28, 29, 42, 1114, 1116, 1117, 1118],
    ...[3300, 3301, 3302, 3303, 3304, 3609, 3610],
  ])('of code %s are the key`s', (code) => {
    expect(vk.read(of('lists', ['1']), 200, error(code))).toEqual({
      kind: 'failed',
      blame: 'key',
      cause: `error ${code} of execute`,
      failure: { method: 'execute', code, message: 'text' },
      errors: [],
      made: {},
    });
  });

  it.each([13, 36])('of code %s ask for a smaller call', (code) => {
    expect(vk.read(of('lists', ['1', '2']), 200, error(code))).toEqual({
      kind: 'split',
      why: 'too-much',
      cause: `error ${code} of execute`,
      failure: { method: 'execute', code, message: 'text' },
      errors: [],
      made: { 'friends.get': 2 },
    });
  });

  it.each([1, 3, 10, 43])('of code %s are tried again', (code) => {
    expect(vk.read(of('profiles', ['1']), 200, error(code))).toMatchObject({
      kind: 'failed',
      blame: 'item',
      cause: `error ${code} of users.get`,
    });
  });

  it('of a bad id halve the call until the id is alone', () => {
    expect(vk.read(of('profiles', ['1', '2']), 200, error(113))).toMatchObject({
      kind: 'split',
      why: 'bad-id',
      made: { 'users.get': 1 },
    });
    expect(vk.read(of('profiles', ['1']), 200, error(100))).toMatchObject({
      kind: 'read',
      outcomes: new Map([['1', { kind: 'absent', cause: 'unknown' }]]),
    });
  });

  it('of a parameter that VK misses blame no id, and say which', () => {
    const message = 'One of the parameters specified was missing or invalid: user_ids is undefined';
    expect(vk.read(of('profiles', ['1', '2']), 200, error(100, message))).toMatchObject({
      kind: 'failed',
      blame: 'item',
      cause: `error 100 of users.get: ${message}`,
    });
    const execute_errors = [{ method: 'friends.get', error_code: 100, error_msg: 'user_id is undefined' }];
    expect(lists(['1'], { response: [false], execute_errors })).toEqual({
      '1': { kind: 'again', blame: 'item', cause: 'error 100 of friends.get: user_id is undefined' },
    });
    const notInteger = [{ method: 'friends.get', error_code: 100, error_msg: 'user_id not integer' }];
    expect(lists(['1'], { response: [false], execute_errors: notInteger })).toEqual({
      '1': { kind: 'absent', cause: 'unknown' },
    });
  });

  it.each([
    [502, '<html>', 'item', 'http status 502'],
    [200, '{"response":[', 'item', 'unreadable answer: not JSON'],
    [401, '<html>', 'key', 'http status 401'],
    [429, '', 'key', 'http status 429'],
  ])('with status %s and %j are tried again, the fault is that of the %s', (status, body, blame, cause) => {
    expect(vk.read(of('lists', ['1']), status, body)).toEqual({
      kind: 'failed',
      blame,
      cause,
      errors: [],
      made: {},
    });
  });
});

describe('answers of VK whose envelope has another shape', () => {
  it.each([
    ['[]', 'answer: Invalid input: expected object, received array'],
    [
      '{"error":{"error_code":"6"}}',
      'answer.error.error_code: Invalid input: expected number, received string',
    ],
    ['{"data":[]}', 'response: expected array'],
  ])('name the field for every item: %s', (body, fault) => {
    const reading = vk.read(of('lists', ['1', '2']), 200, body);
    const outcome = { kind: 'unreadable', fault };
    expect(reading).toMatchObject({
      kind: 'read',
      outcomes: new Map([
        ['1', outcome],
        ['2', outcome],
      ]),
    });
  });
});

describe('fields of profiles from VK', () => {
  const seen = {
    id: 1,
    first_name: 'A',
    last_name: 'B',
    is_closed: false,
    sex: 1,
    bdate: '1.2.1990',
    city: { id: 1, title: 'Москва' },
    country: { id: 1, title: 'Россия' },
    screen_name: 'ada',
  };

  it('are asked for and kept only where the import wants them', () => {
    const content = {
      ...of('profiles', ['1']),
      scope: { ...of('profiles', []).scope, fields: ['sex', 'city'] as const },
    };
    const body = new URLSearchParams(vk.request(content, new Secret('t')).body);
    expect([body.get('user_ids'), body.get('fields')]).toEqual(['1', 'sex,city']);
    const reading = vk.read(content, 200, answer({ response: [seen] }));
    expect(reading.kind === 'read' && reading.outcomes.get('1')).toEqual({
      kind: 'profile',
      state: 'active',
      profile: { firstName: 'A', lastName: 'B', closed: false, sex: 'female', city: 'Москва' },
    });
  });

  it('may all be wanted, and may be missing', () => {
    const fields = ['sex', 'birthDate', 'city', 'country', 'screenName'] as const;
    const content = { ...of('profiles', ['1', '2']), scope: { ...of('profiles', []).scope, fields } };
    expect(new URLSearchParams(vk.request(content, new Secret('t')).body).get('fields')).toBe(
      'sex,bdate,city,country,screen_name',
    );
    const response = [seen, { id: 2, first_name: 'C', last_name: 'D' }];
    const reading = vk.read(content, 200, answer({ response }));
    expect(reading.kind === 'read' && Object.fromEntries(reading.outcomes)).toMatchObject({
      '1': {
        profile: {
          sex: 'female',
          birthDate: '1.2.1990',
          city: 'Москва',
          country: 'Россия',
          screenName: 'ada',
        },
      },
      '2': { profile: { firstName: 'C', lastName: 'D' } },
    });
  });
});
