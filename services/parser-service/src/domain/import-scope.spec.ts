import {
  firstItems,
  type ImportScope,
  itemsOfGroup,
  listsOfPerson,
  subjectKind,
  USUAL_SCOPE,
} from './import-scope';

const asking = (...include: ImportScope['include']): ImportScope => ({ ...USUAL_SCOPE, include });

describe('the scope of an import', () => {
  it.each([
    ['107', 'person'],
    ['-22822305', 'group'],
    ['@durov', 'name'],
  ])('knows what %s is about: a %s', (subject, kind) => {
    expect(subjectKind(subject)).toBe(kind);
  });

  it('asks for the lists of people that it includes, in one order', () => {
    expect(
      listsOfPerson(asking('walls', 'members', 'subscriptions', 'groups', 'profiles', 'friends')),
    ).toEqual(['friends', 'groups', 'subscriptions', 'wall']);
    expect(listsOfPerson(asking('profiles', 'members'))).toEqual([]);
  });

  it('reads members and walls of the groups that it begins with only', () => {
    expect(itemsOfGroup(asking('walls', 'members'), 0)).toEqual(['group', 'members', 'wall']);
    expect(itemsOfGroup(asking('walls', 'members'), 1)).toEqual(['group']);
    expect(itemsOfGroup(asking('friends', 'groups'), 0)).toEqual(['group']);
  });

  it('begins with everything about the seeds, without lists at depth 0', () => {
    const seeds = ['1', '-2', '@ada'];
    expect(firstItems(seeds, asking('friends', 'members'), null)).toEqual([
      { kind: 'profile', person: '1' },
      { kind: 'friends', person: '1' },
      { kind: 'group', person: '-2' },
      { kind: 'members', person: '-2' },
      { kind: 'name', person: '@ada' },
    ]);
    expect(firstItems(['1'], asking('friends'), 0)).toEqual([{ kind: 'profile', person: '1' }]);
    expect(firstItems(['1'], asking('friends'), 1)).toHaveLength(2);
  });
});
