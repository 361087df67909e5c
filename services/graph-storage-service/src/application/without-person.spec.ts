import { aDocument, aList, ref, seen } from '../../test/builders';
import { decide, unknownPerson, type Person } from '../domain/person';
import { withoutPerson, withoutRepeat } from './without-person';

const stored = (...lists: Parameters<typeof aList>[]): Person => {
  const { ref, seen: what } = seen(
    '1',
    lists.map((list) => aList(...list)),
  );
  return decide(unknownPerson(ref), {}, what, 10).person;
};

describe('withoutPerson', () => {
  it('takes the id out of the list and out of what was added, and raises the version', () => {
    const person = stored([1, ['2', '3']], [2, ['4'], 'partial'], [3, ['5'], 'partial']);
    const left = withoutPerson(person, '3', 99);
    expect(left).toMatchObject({ version: person.version + 1, changedAt: 99 });
    expect(left.list.base).toEqual({ ...person.list.base, ids: ['2'] });
    expect([...left.list.added.keys()]).toEqual(['4', '5']);
    expect([...withoutPerson(person, '4', 99).list.added.keys()]).toEqual(['5']);
    expect(withoutPerson(person, '4', 99).list.base?.ids).toEqual(['2', '3']);
  });

  it('takes the id out of the people that are followed, and leaves groups of that number alone', () => {
    const own = stored([1, ['3']]).list;
    const person: Person = { ...stored([1, ['2']]), subscriptions: { people: own, groups: own } };
    const left = withoutPerson(person, '3', 99);
    expect(left.subscriptions?.people?.base?.ids).toEqual([]);
    expect(left.subscriptions?.groups).toBe(own);
    expect(left.version).toBe(person.version + 1);
  });

  it('is the very same person when no list has the id', () => {
    const person = stored([1, ['2']]);
    expect(withoutPerson(person, '9', 99)).toBe(person);
  });
});

describe('withoutRepeat', () => {
  const content = { ownerKind: 'user', ownerId: '1', text: 'look' };
  const post = (repeated: object) => ({
    kind: 'post' as const,
    ref: ref('1_1'),
    version: 3,
    changedAt: 10,
    document: { ...aDocument(5, 'x'), content: { ...content, ...repeated } },
  });

  it('drops which post is repeated, and nothing else but version and moment', () => {
    const before = post({ repostOf: '107_4' });
    expect(withoutRepeat(before, 20)).toEqual({ ...post({}), version: 4, changedAt: 20 });
    expect(before.document.content).toEqual({ ...content, repostOf: '107_4' });
  });

  it('leaves a post alone of which nothing was seen', () => {
    const unseen = { ...post({}), document: undefined };
    expect(withoutRepeat(unseen, 20)).toBe(unseen);
  });
});
