import { rotationOf, type SigningKey } from './signing-keys';

const aKey = (id: string, priority: number, state: 'active' | 'passive' | 'disabled'): SigningKey => ({
  ...{ id, kid: `kid-${id}`, priority },
  enabled: state !== 'disabled',
  active: state === 'active',
});

describe('a rotation of signing keys', () => {
  const old = aKey('old', 100, 'active');
  const next = aKey('next', 110, 'passive');

  it('is not under way while one key is published', () => {
    expect(rotationOf([old, aKey('gone', 90, 'disabled')])).toEqual({ kind: 'none', signs: old });
  });

  it('is prepared when a key above the one that signs is only published', () => {
    expect(rotationOf([old, next])).toEqual({ kind: 'prepared', signs: old, next });
  });

  it('is over for the old keys when another one signs, whether they are active or not', () => {
    const signs = aKey('next', 110, 'active');
    const oldest = aKey('oldest', 90, 'passive');
    expect(rotationOf([oldest, old, signs])).toEqual({ kind: 'superseded', signs, old: [old, oldest] });
  });

  it('prepares first and takes away later, where both are to be done', () => {
    const oldest = aKey('oldest', 90, 'passive');
    expect(rotationOf([oldest, next, old])).toEqual({ kind: 'prepared', signs: old, next });
  });

  it('is none of a realm in which nothing signs', () => {
    expect(() => rotationOf([next, aKey('gone', 100, 'disabled')])).toThrow(
      'No enabled key of the realm is active: nothing signs its tokens.',
    );
  });
});
