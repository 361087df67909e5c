import type { SeededRandomness } from '@sociograph/testing';

/** One in so many friendships goes to a friend of a friend: without them there are hardly any triangles. */
const CLOSING_SHARE = 0.4;

/**
 * A connected graph with hubs and triangles as "low high" lines: everybody befriends people who have friends already,
 * in proportion to how many (Barabasi and Albert 1999), now and then a friend of theirs (Holme and Kim 2002).
 */
export function generatedGraph(people: number, friendships: number, random: SeededRandomness): string {
  const known = new Set<number>();
  const friends: number[][] = Array.from({ length: people }, () => []);
  const ends: number[] = [];
  const befriend = (a: number, b: number): boolean => {
    const name = Math.min(a, b) * people + Math.max(a, b);
    if (a === b || known.has(name)) return false;
    known.add(name);
    friends[a]?.push(b);
    friends[b]?.push(a);
    ends.push(a, b);
    return true;
  };
  for (let person = 1; person < people; person += 1)
    befriend(person, ends.length === 0 ? 0 : random.pick(ends));
  while (known.size < friendships) {
    const person = random.below(people);
    const near = friends[person] as number[];
    const nearer = friends[random.pick(near)] as number[];
    befriend(person, random.next() < CLOSING_SHARE ? random.pick(nearer) : random.pick(ends));
  }
  return [...known].map((name) => `${Math.floor(name / people) + 1} ${(name % people) + 1}\n`).join('');
}
