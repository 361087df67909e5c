/** Numbers in [0, 1) that a seed repeats (mulberry32): good enough to choose, for nothing else. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Chooses `count` items: first a group with equal chance, then an item of it that was not chosen yet. So a long file
 * has no more weight than a short one.
 */
export function chooseEvenly<T>(groups: readonly (readonly T[])[], count: number, next: () => number): T[] {
  const left = groups.filter((group) => group.length > 0).map((group) => [...group]);
  const chosen: T[] = [];
  while (chosen.length < count && left.length > 0) {
    const at = Math.floor(next() * left.length);
    const group = left[at] ?? [];
    chosen.push(...group.splice(Math.floor(next() * group.length), 1));
    if (group.length === 0) left.splice(at, 1);
  }
  return chosen;
}
