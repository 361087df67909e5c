import { MOST_NAMES, StatementNames } from './statement-names';

const fill = (names: StatementNames, count: number): void => {
  for (let index = 0; index < count; index += 1)
    for (const _ of [1, 2]) names.nameOf(`SELECT ${index} FROM many`);
};

describe('names of statements', () => {
  it('are given to a text that comes again, the same one each time', () => {
    const names = new StatementNames();
    expect(names.nameOf('SELECT 1')).toBeUndefined();
    const name = names.nameOf('SELECT 1');
    expect(name).toBe('s0_e004ebd5b5532a4b');
    expect(names.nameOf('SELECT 1')).toBe(name);
    expect(names.nameOf('SELECT 2')).toBeUndefined();
    expect(names.nameOf('SELECT 2')).not.toBe(name);
  });

  it('are 200 at most', () => {
    const names = new StatementNames();
    fill(names, MOST_NAMES - 1);
    names.nameOf('the last one');
    expect(names.nameOf('the last one')).toMatch(/^s0_[0-9a-f]{16}$/);
    for (const _ of [1, 2, 3]) expect(names.nameOf('one more')).toBeUndefined();
    expect(names.nameOf('the last one')).toMatch(/^s0_/);
    expect(MOST_NAMES).toBe(200);
  });

  it('are not given to texts between which 200 others came once', () => {
    const names = new StatementNames();
    names.nameOf('seldom');
    for (let index = 0; index < MOST_NAMES - 1; index += 1) names.nameOf(`SELECT ${index}`);
    // The text that is one too many begins the list of those that were met once anew.
    names.nameOf('one too many');
    expect(names.nameOf('seldom')).toBeUndefined();
    expect(names.nameOf('one too many')).toMatch(/^s0_/);
  });

  it('are others after a renewal, at once for texts that had one', () => {
    const names = new StatementNames();
    for (const _ of [1, 2]) names.nameOf('SELECT 1');
    names.nameOf('SELECT 2');
    names.renew();
    expect(names.nameOf('SELECT 1')).toBe('s1_e004ebd5b5532a4b');
    expect(names.nameOf('SELECT 2')).toMatch(/^s1_/);
    names.renew();
    expect(names.nameOf('SELECT 1')).toBe('s2_e004ebd5b5532a4b');
  });
});
