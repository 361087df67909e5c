import { edgeEndsOf, storedForm } from './document';

const REV = '_l6zhV_y-';

describe('the ends of a stored edge', () => {
  it.each([
    [{ _key: 'k', _from: 'users/a', _to: 'users/b', low: 1 }],
    [{ _key: 'k', low: { _from: 'x/y' }, _to: 'users/b', _from: 'users/a' }],
    [{ _from: 'users/a', since: 1, _to: 'users/b' }],
    [{ _from: `users/a`, _to: 'users/b' }],
  ])('are read from %j', (doc) => {
    expect(edgeEndsOf(storedForm(REV, doc))).toEqual(['users/a', 'users/b']);
  });

  it('may be as long as handles are', () => {
    const [from, to] = [`${'c'.repeat(256)}/${'k'.repeat(254)}`, `${'d'.repeat(256)}/${'l'.repeat(254)}`];
    expect(edgeEndsOf(storedForm(REV, { _from: from, _to: to, more: 'x' }))).toEqual([from, to]);
  });
});
