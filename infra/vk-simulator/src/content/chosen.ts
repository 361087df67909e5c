import { seededFraction } from './seeded-hash';

/** Some of many: a share drawn from the seed, and whoever is named. */
export interface Chosen {
  /** 0..1 */
  share: number;
  ids: ReadonlySet<number>;
}

export const NOBODY: Chosen = { share: 0, ids: new Set() };

/** Whether the one with this id is among the chosen. `purpose` keeps the draws of different choices apart. */
export function isChosen(chosen: Chosen, seed: number, purpose: string, id: number): boolean {
  return chosen.ids.has(id) || (chosen.share > 0 && seededFraction(seed, purpose, id) < chosen.share);
}
