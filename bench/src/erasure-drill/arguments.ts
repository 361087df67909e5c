import { DrillArguments } from '../fleet/drill-arguments';

export interface ErasureDrillOptions {
  readonly people: number;
  readonly seed: number;
  readonly portBase: number | undefined;
  readonly keep: boolean;
  readonly json: string | undefined;
}

export const USAGE = `npm run drill:erasure -- [--people 60] [--seed 1] [--port-base N] [--keep] [--json FILE]

  A fleet of its own with short times for compaction and retention imports somebody of unmistakable id and name, who is then
  erased and looked for in every file; once more after a rebuild, a redrive and a new import.
  --keep     the stack "erasure" stays on disk with its logs`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): ErasureDrillOptions {
  const given = new DrillArguments(argv, {
    usage: USAGE,
    texts: ['people', 'seed', 'port-base', 'json'],
    flags: ['keep'],
  });
  return {
    people: given.whole('people', 60, 20, 2_000),
    seed: given.whole('seed', 1, 0),
    portBase: given.portBase('port-base'),
    keep: given.flag('keep'),
    json: given.text('json'),
  };
}
