import { aCallContent } from '../../../../test/builders';
import type { ItemOutcome } from '../../../domain/items';
import type { PackKind } from '../../../domain/packing';
import type { CallContent } from '../../../domain/ports';
import { VkNetwork } from './client';

const vk = new VkNetwork();
const ids = { count: 2, items: [5, 6] };
const user = { id: 1, first_name: 'A', last_name: 'B', is_closed: false, can_access_closed: true, sex: 1 };
const places = { bdate: '1.2.1990', city: { id: 1, title: 'Москва' }, country: { id: 1, title: 'Россия' } };
const group = {
  id: 7,
  name: 'G',
  screen_name: 'g',
  is_closed: 1,
  type: 'page',
  members_count: 3,
  is_admin: 0,
};
const counted = { likes: { count: 1, user_likes: 0 }, views: { count: 9 } };
const copied = { copy_history: [{ id: 3, owner_id: -8, from_id: -8, date: 900, text: '' }] };
const post = {
  id: 4,
  owner_id: 1,
  from_id: 1,
  date: 1_000,
  text: 'x',
  post_type: 'post',
  ...counted,
  ...copied,
};

/**
 * One good answer of each kind, the fields without which nothing can be said of the item, and those that VK may leave
 * out. All others are none of the parser's business. A path names lists by `*`.
 */
const ANSWERS: Record<string, { people: string[]; answer: unknown; needed: string[]; optional?: string[] }> =
  {
    names: {
      people: ['@a'],
      answer: { response: [{ type: 'user', object_id: 9 }] },
      needed: ['response', 'response.*', 'response.*.type', 'response.*.object_id'],
    },
    profiles: {
      people: ['1'],
      answer: { response: [{ ...user, ...places, screen_name: 'ab', last_seen: { time: 1 } }] },
      needed: [
        ...['response', 'response.*.id', 'response.*.first_name', 'response.*.last_name'],
        ...['response.*.city.title', 'response.*.country.title'],
      ],
      optional: [
        ...['is_closed', 'sex', 'bdate', 'city', 'country', 'screen_name'].map(
          (name) => `response.*.${name}`,
        ),
      ],
    },
    lists: {
      people: ['1'],
      answer: { response: [ids] },
      needed: ['response', 'response.*', 'response.*.count', 'response.*.items'],
    },
    'long-list': {
      people: ['1'],
      answer: { response: [ids, ids, ids, ids] },
      needed: ['response', 'response.*', 'response.*.count', 'response.*.items'],
    },
    members: {
      people: ['-1'],
      answer: { response: Array.from({ length: 25 }, () => ids) },
      needed: ['response', 'response.*', 'response.*.count', 'response.*.items'],
    },
    groups: {
      people: ['1'],
      answer: { response: [ids] },
      needed: ['response', 'response.*', 'response.*.count', 'response.*.items'],
    },
    'long-groups': {
      people: ['1'],
      answer: { response: [ids, ids, ids, ids, ids] },
      needed: ['response', 'response.*', 'response.*.count', 'response.*.items'],
    },
    subscriptions: {
      people: ['1'],
      answer: { response: [{ users: ids, groups: ids }] },
      needed: [
        ...['response', 'response.*', 'response.*.users', 'response.*.groups'],
        ...['response.*.users.count', 'response.*.users.items'],
        ...['response.*.groups.count', 'response.*.groups.items'],
      ],
    },
    'group-profiles': {
      people: ['-7'],
      answer: { response: { groups: [group], profiles: [] } },
      needed: ['response', 'response.groups', 'response.groups.*.id', 'response.groups.*.name'],
      optional: ['screen_name', 'is_closed', 'type', 'members_count'].map(
        (name) => `response.groups.*.${name}`,
      ),
    },
    walls: {
      people: ['1'],
      answer: { response: [{ count: 1, items: [post] }] },
      needed: [
        ...['response', 'response.*', 'response.*.count', 'response.*.items'],
        ...['id', 'owner_id', 'from_id', 'date', 'text'].map((name) => `response.*.items.*.${name}`),
        ...['id', 'owner_id'].map((name) => `response.*.items.*.copy_history.*.${name}`),
        ...['likes.count', 'views.count'].map((name) => `response.*.items.*.${name}`),
      ],
      optional: ['likes', 'views', 'copy_history'].map((name) => `response.*.items.*.${name}`),
    },
  };
const CASES = Object.entries(ANSWERS).map(([kind, of]) => ({ kind: kind as PackKind, ...of }));

function contentOf(kind: PackKind, people: string[]): CallContent {
  const usual = aCallContent(kind, people);
  const fields = ['sex', 'birthDate', 'city', 'country', 'screenName'] as const;
  return { ...usual, scope: { ...usual.scope, fields, walls: { since: null, last: null } } };
}

/** What the first item of the call got. */
function read(kind: PackKind, people: string[], answer: unknown): ItemOutcome | undefined {
  const reading = vk.read(contentOf(kind, people), 200, JSON.stringify(answer));
  if (reading.kind !== 'read') throw new Error(`${kind} is ${reading.kind}`);
  expect([...reading.outcomes.keys()]).toEqual(people);
  return reading.outcomes.get(people[0] ?? '');
}

type Step = string | number;
const namesOf = (path: readonly Step[]): string =>
  path.map((step) => (typeof step === 'number' ? '*' : step)).join('.');

/** Every place of a value: fields of objects, and the first element of lists. */
function placesIn(value: unknown, path: Step[] = []): Step[][] {
  if (Array.isArray(value)) {
    return value.length === 0 ? [] : [[...path, 0], ...placesIn(value[0], [...path, 0])];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    [...path, name],
    ...placesIn(inner, [...path, name]),
  ]);
}

function changed(answer: unknown, path: readonly Step[], change: (value: unknown) => unknown): unknown {
  const copy = JSON.parse(JSON.stringify(answer)) as Record<Step, unknown>;
  let holder = copy;
  for (const step of path.slice(0, -1)) holder = holder[step] as Record<Step, unknown>;
  const last = path.at(-1) ?? '';
  const value = change(holder[last]);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

function retyped(value: unknown): unknown {
  if (typeof value === 'number') return `n${value}`;
  if (typeof value === 'string') return { text: value };
  return Array.isArray(value) ? { list: value } : [value];
}

/** `response[0].count` of `response.*.count`: what the fault begins with. */
const shownPath = (path: readonly Step[]): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');

describe('an answer of VK whose API changed', () => {
  it.each(CASES)('$kind: one that did not is read', ({ kind, people, answer }) => {
    expect(read(kind, people, answer)).not.toMatchObject({ kind: 'unreadable' });
  });

  it.each(CASES)('$kind: a field of another type is named by its path, whichever it is', (of) => {
    const { kind, people, answer, needed, optional = [] } = of;
    const noticed: string[] = [];
    for (const path of placesIn(answer)) {
      const outcome = read(kind, people, changed(answer, path, retyped));
      if (outcome?.kind !== 'unreadable') continue;
      noticed.push(namesOf(path));
      expect(outcome.fault.startsWith(shownPath(path))).toBe(true);
    }
    expect(noticed).toEqual(expect.arrayContaining([...needed, ...optional]));
  });

  it.each(CASES)('$kind: a field that is gone is named, unless VK may leave it out', (of) => {
    const { kind, people, answer, needed } = of;
    const good = read(kind, people, answer);
    for (const path of placesIn(answer)) {
      const name = namesOf(path);
      if (name === 'response.*' || typeof path.at(-1) === 'number') continue;
      const outcome = read(
        kind,
        people,
        changed(answer, path, () => undefined),
      );
      if (!needed.includes(name)) expect([name, outcome?.kind]).toEqual([name, good?.kind]);
      else
        expect(outcome).toMatchObject({
          kind: 'unreadable',
          fault: expect.stringContaining(name.split('.').at(-1) ?? '') as string,
        });
    }
  });

  it.each(CASES)('$kind: null in place of anything that is needed is no answer', (of) => {
    const { kind, people, answer, needed } = of;
    for (const path of placesIn(answer)) {
      if (!needed.includes(namesOf(path))) continue;
      expect(
        read(
          kind,
          people,
          changed(answer, path, () => null),
        ),
      ).toMatchObject({ kind: 'unreadable' });
    }
  });
});
