import { type Needle, needlesOf, numberNeedlesOf, type SeededRandomness } from '@sociograph/testing';

/** Somebody whose id and names are found nowhere by chance. */
export interface Person {
  readonly id: string;
  readonly first: string;
  readonly last: string;
}

/** Ten digits, and more than 2^32: as a number it takes eight bytes everywhere. */
const LEAST_ID = 9_100_000_000;
/** So long that a value is found where PostgreSQL packed it. */
const LETTERS = 22;

export function unmistakable(random: SeededRandomness): Person {
  const word = (): string => {
    const letters = Array.from({ length: LETTERS }, () => String.fromCharCode(97 + random.below(26)));
    return `${letters.shift()?.toUpperCase()}${letters.join('')}`;
  };
  return { id: String(LEAST_ID + random.below(800_000_000)), first: word(), last: word() };
}

/** What is looked for: the id as text and as a number, both names as they are and as search has them. */
export function needlesOfPerson({ id, first, last }: Person): Needle[] {
  return [
    ...needlesOf('id', id, id.length),
    ...numberNeedlesOf('id', Number(id)),
    ...needlesOf('first name', first),
    ...needlesOf('first name, small letters', first.toLowerCase()),
    ...needlesOf('last name', last),
    ...needlesOf('last name, small letters', last.toLowerCase()),
  ];
}

/** The edges with the person in the place of `stead`. */
export function withPerson(edges: string, stead: number, { id }: Person): string {
  return edges.replace(new RegExp(`\\b${stead}\\b`, 'g'), id);
}
