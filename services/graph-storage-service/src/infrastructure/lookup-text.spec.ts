import { aDocument, ref } from '../../test/builders';
import { NOTHING_KNOWN } from '../domain/own-list';
import { fromUser, lookupText, toUser } from './arango-documents';

describe('what people are looked up by', () => {
  it.each([
    ['Vera  ORLOVA ', 'vera orlova'],
    ['Zoë\tÅngström', 'zoë ångström'],
    ['a\u0000b', 'a b'],
    ['😀 x \ud800', '\ufffd x \ufffd'],
    ['', ''],
  ])('%j is looked up as %j', (text, looked) => {
    expect(lookupText(text)).toBe(looked);
  });

  it('is at most 80 characters, which fit an index of the stand-in', () => {
    expect(lookupText('ﷺ'.repeat(200))).toBe('ﷺ'.repeat(80));
    expect(Buffer.byteLength(lookupText('😀'.repeat(200)))).toBe(240);
  });

  it('is stored with a person, and is no part of what is read', () => {
    const content = { state: 'active', profile: { firstName: 'Vera', lastName: 'Orlova', city: 'Riga' } };
    const document = { ...aDocument(4, 'Vera'), content };
    const person = { ref: ref('1'), version: 1, changedAt: 7, document, list: NOTHING_KNOWN };
    const stored = toUser(person);
    expect(stored).toMatchObject({
      scope: 'demo.vk',
      name: 'vera orlova',
      lastName: 'orlova vera',
      city: 'riga',
    });
    expect(fromUser({ ...stored, _rev: 'r' })).toEqual({ ...person, rev: 'r' });
    expect(Object.keys(toUser({ ...person, document: undefined }))).not.toContain('name');
  });
});
