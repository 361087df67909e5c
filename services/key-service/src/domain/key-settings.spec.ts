import { limitsOf, scopesOf, sharesOf, weightOf } from './key-settings';

function faultOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function refusal(field: string, message: string): object {
  return { code: 'KEY_POOL.KEY_INVALID', kind: 'invalid-input', fields: [{ field, message }] };
}

const METHODS = 'limits.methodsPerDay';
const many = (count: number, name: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => name(i));
const methods = (count: number) =>
  Object.fromEntries(many(count, (i) => `wall.get${i}`).map((name) => [name, 1]));

describe('the limits of a key', () => {
  it('are the quota of its kind where nothing else is said', () => {
    expect(limitsOf(3, {})).toEqual({ perSecond: 3 });
    expect(limitsOf(3, { methodsPerDay: {} })).toEqual({ perSecond: 3 });
  });

  it('keep every figure that was given', () => {
    const limits = {
      perSecond: 2,
      perMinute: 60,
      perHour: 1000,
      perDay: 1_000_000_000,
      methodsPerDay: { 'wall.get': 5000, execute: 1 },
    };
    expect(limitsOf(3, limits)).toEqual(limits);
    expect(limitsOf(3, { perHour: 1 })).toEqual({ perSecond: 3, perHour: 1 });
    expect(limitsOf(3, { methodsPerDay: methods(50) }).methodsPerDay).toEqual(methods(50));
  });

  it.each<[object, string, number]>([
    [{ perSecond: 0 }, 'limits.perSecond', 3],
    [{ perSecond: 4 }, 'limits.perSecond', 3],
    [{ perSecond: 1.5 }, 'limits.perSecond', 3],
    [{ perMinute: 0 }, 'limits.perMinute', 1_000_000_000],
    [{ perHour: 1_000_000_001 }, 'limits.perHour', 1_000_000_000],
    [{ perDay: Number.NaN }, 'limits.perDay', 1_000_000_000],
    [{ methodsPerDay: { 'wall.get': 0 } }, 'limits.methodsPerDay.wall.get', 1_000_000_000],
    [{ methodsPerDay: { 'wall.get': '5' } }, 'limits.methodsPerDay.wall.get', 1_000_000_000],
  ])('refuse %j', (given, field, most) => {
    expect(faultOf(() => limitsOf(3, given))).toMatchObject(
      refusal(field, `must be a whole number from 1 to ${most}`),
    );
  });

  it.each([
    'wall get',
    '',
    '.get',
    'wall.',
    '1wall',
    'wall.get.more',
    `${'w'.repeat(33)}.get`,
    `wall.${'g'.repeat(33)}`,
  ])('refuse %j as the name of a method', (name) => {
    expect(faultOf(() => limitsOf(3, { methodsPerDay: { [name]: 1 } }))).toMatchObject(
      refusal(METHODS, 'must have names of methods as its fields'),
    );
  });

  it('take names of methods up to 32 letters a part, and 50 of them', () => {
    const name = `${'w'.repeat(32)}.${'g'.repeat(32)}`;
    expect(limitsOf(3, { methodsPerDay: { [name]: 1 } }).methodsPerDay).toEqual({ [name]: 1 });
    expect(faultOf(() => limitsOf(3, { methodsPerDay: methods(51) }))).toMatchObject(
      refusal(METHODS, 'must name at most 50 methods'),
    );
  });
});

describe('the other settings of a key', () => {
  it.each([1, 2, 100])('take %d as a weight', (weight) => {
    expect(weightOf(weight)).toBe(weight);
  });

  it.each([0, 101, 1.5, Number.NaN])('refuse %d as a weight', (weight) => {
    expect(faultOf(() => weightOf(weight))).toMatchObject(
      refusal('weight', 'must be a whole number from 1 to 100'),
    );
  });

  it('name each scope once, in the order of the alphabet', () => {
    expect(scopesOf(['wall', 'friends', 'wall'])).toEqual(['friends', 'wall']);
    expect(scopesOf(many(50, (i) => `s${i}`))).toHaveLength(50);
  });

  it('refuse scopes that are none, and more than 50', () => {
    expect(faultOf(() => scopesOf(['friends', 'two words']))).toMatchObject(
      refusal('scopes.1', 'must be 1 to 64 letters, digits, dots, colons or hyphens'),
    );
    expect(faultOf(() => scopesOf(['x'.repeat(65)]))).toMatchObject({ fields: [{ field: 'scopes.0' }] });
    expect(scopesOf(['x'.repeat(64)])).toHaveLength(1);
    expect(faultOf(() => scopesOf(many(51, (i) => `s${i}`)))).toMatchObject(
      refusal('scopes', 'must be at most 50'),
    );
  });

  it('name each workspace once, in the order of the alphabet', () => {
    expect(sharesOf('demo', ['zeta', 'alpha', 'zeta'])).toEqual(['alpha', 'zeta']);
    expect(sharesOf('demo', [])).toEqual([]);
    expect(
      sharesOf(
        'demo',
        many(50, (i) => `w${i}`),
      ),
    ).toHaveLength(50);
    expect(sharesOf('demo', ['w'.repeat(63)])).toHaveLength(1);
  });

  it('refuse workspaces that are none, its own, and more than 50', () => {
    const none = 'must be the id of a workspace';
    for (const bad of ['UPPER', '', '-a', 'a:b', 'w'.repeat(64)]) {
      expect(faultOf(() => sharesOf('demo', ['other', bad]))).toMatchObject(refusal('workspaces.1', none));
    }
    expect(faultOf(() => sharesOf('demo', ['demo']))).toMatchObject(
      refusal('workspaces.0', 'must be another workspace than its own'),
    );
    expect(
      faultOf(() =>
        sharesOf(
          'demo',
          many(51, (i) => `w${i}`),
        ),
      ),
    ).toMatchObject(refusal('workspaces', 'must be at most 50'));
  });
});
