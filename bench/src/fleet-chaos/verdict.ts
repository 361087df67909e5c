import type { EndedImport } from '../fleet/endless-imports';
import { wordsOf } from './fault-plan';
import type { PlayedFault } from './play-fault';
import { WORK_IN_WORDS } from './work';

export const MOST_RECOVERY_MS = 10_000;
export const MOST_EXIT_MS = 5_000;

export interface ChaosFigures {
  readonly played: readonly PlayedFault[];
  readonly imports: readonly EndedImport[];
  /** People of the graph's file: each import must find them all, each once. */
  readonly people: number;
  /** Figures of the summary that differ from the graph's own, in words. */
  readonly differences: readonly string[];
  /** Calls that the simulator refused by its limits. */
  readonly refused: number;
  /** Of these, calls that a process frozen between check and wire sent late, by its own stamps. */
  readonly frozenSends: number;
  readonly dead: number;
  /** Answers of the API during the run by status or fault; none may be a 500. */
  readonly answers: Readonly<Record<string, number>>;
  /** Nothing is dead, deaf or given up at the end. */
  readonly healthy: boolean;
}

/** What of an import is missing, and what is there more often than once. */
export function balanceOf(imports: readonly EndedImport[], people: number): { lost: number; double: number } {
  const figures = imports.flatMap(({ view: { counters }, certificate: { expected, got } }) => [
    ...[counters.people.known, counters.people.done, counters.lists.known, counters.lists.done],
    ...[expected.people, got.people, expected.lists, got.lists],
  ]);
  const off = figures.map((figure) => figure - people);
  return {
    lost: off.reduce((sum, by) => sum + Math.max(0, -by), 0),
    double: off.reduce((sum, by) => sum + Math.max(0, by), 0),
  };
}

/** What of the bar is missed, in words. */
export function missesOf(figures: ChaosFigures): string[] {
  const { played, imports, people, refused, frozenSends, dead, answers, healthy } = figures;
  const { lost, double } = balanceOf(imports, people);
  const found = [
    ...figures.differences,
    ...played.flatMap(missesOfFault),
    ...imports.flatMap(missesOfImport),
  ];
  if (imports.length === 0) found.push('no import ended');
  if (lost > 0) found.push(`${lost} people and lists are lost`);
  if (double > 0) found.push(`${double} people and lists are there twice`);
  if (refused > frozenSends) found.push(`${refused - frozenSends} calls overstepped a limit`);
  if (dead > 0) found.push(`${dead} messages and records in dead queues`);
  for (const [answer, count] of Object.entries(answers))
    if (answer === '500') found.push(`${count} requests were answered 500`);
  if (!healthy) found.push('a process is dead, deaf or given up: a person has to help');
  return found;
}

function missesOfFault({ fault, work, recoveryMs, exitMs }: PlayedFault): string[] {
  const found: string[] = [];
  const words = wordsOf(fault);
  if (recoveryMs === undefined) found.push(`${words}: no work came (${WORK_IN_WORDS[work]})`);
  else if (recoveryMs > MOST_RECOVERY_MS)
    found.push(`${words}: work after ${(recoveryMs / 1000).toFixed(1)} s`);
  if (exitMs !== undefined && exitMs > MOST_EXIT_MS)
    found.push(`${words}: gone after ${(exitMs / 1000).toFixed(1)} s`);
  return found;
}

function missesOfImport({ view, certificate }: EndedImport, index: number): string[] {
  const found: string[] = [];
  if (view.state !== 'completed') found.push(`import ${index + 1} is ${view.state}`);
  if (!certificate.final) found.push(`import ${index + 1} has no final certificate`);
  for (const { what, cause, count } of certificate.gaps)
    found.push(`import ${index + 1}: gap: ${count} of ${what}, ${cause}`);
  return found;
}
