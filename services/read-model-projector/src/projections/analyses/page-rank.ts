import type { WholeGraph } from './whole-graph';

export const DAMPING = 0.85;
/** The sum of all changes of a round below which it has come to rest. */
const AT_REST = 1e-10;
const MOST_ROUNDS = 200;

export interface Ranks {
  scores: Float64Array;
  rounds: number;
}

/**
 * PageRank over friendships in both directions, damping 0.85; who has no friends gives their share to everybody. Scores
 * sum to 1. Power iteration until the scores rest (about 140 rounds). Yields how far it is, 0 to 1.
 */
export function* pageRank({ starts, friends }: WholeGraph): Generator<number, Ranks> {
  const people = starts.length - 1;
  let scores = new Float64Array(people).fill(1 / people);
  let next = new Float64Array(people);
  const shares = new Float64Array(people);
  for (let round = 1; ; round++) {
    let idle = 0;
    for (let person = 0; person < people; person++) {
      const degree = starts[person + 1]! - starts[person]!;
      if (degree === 0) idle += scores[person]!;
      else shares[person] = scores[person]! / degree;
    }
    const base = (1 - DAMPING + DAMPING * idle) / people;
    let change = 0;
    for (let person = 0; person < people; person++) {
      let sum = 0;
      for (let link = starts[person]!; link < starts[person + 1]!; link++) sum += shares[friends[link]!]!;
      next[person] = base + DAMPING * sum;
      change += Math.abs(next[person]! - scores[person]!);
    }
    [scores, next] = [next, scores];
    if (change < AT_REST || round === MOST_ROUNDS) return { scores, rounds: round };
    yield Math.min(0.99, Math.log(change) / Math.log(AT_REST));
  }
}
