import { seeded } from '@sociograph/testing';
import { needlesOfPerson, unmistakable, withPerson } from './person';

describe('the person of drill:erasure', () => {
  const person = unmistakable(seeded(1));

  it('has an id of ten digits and two long names, others with another seed', () => {
    expect(person.id).toMatch(/^9[1-9]\d{8}$/);
    for (const name of [person.first, person.last]) expect(name).toMatch(/^[A-Z][a-z]{21}$/);
    expect(person.first).not.toBe(person.last);
    expect(unmistakable(seeded(2)).id).not.toBe(person.id);
    expect(unmistakable(seeded(1))).toEqual(person);
  });

  it('is looked for by id and names, as text, as number, in small letters, encoded and packed', () => {
    const shapes = needlesOfPerson(person).map(({ secret, encoding }) => `${secret}: ${encoding}`);
    expect(shapes).toEqual(
      expect.arrayContaining([
        'id: raw',
        'id: base64, 2 before',
        'id: int64',
        'first name: hex',
        'last name, small letters: raw',
        'last name: packed by PostgreSQL',
      ]),
    );
  });

  it('stands in the graph for somebody, and for nobody whose number begins alike', () => {
    expect(withPerson('1 5\n5 15\n51 2\n', 5, person)).toBe(`1 ${person.id}\n${person.id} 15\n51 2\n`);
  });
});
