import { DrillArguments } from '../fleet/drill-arguments';

export interface RestartOptions {
  readonly restarts: number;
  readonly people: number;
  readonly keys: number;
  readonly seed: number;
  /** Of the measured capacity. */
  readonly share: number;
  readonly measureSeconds: number;
  readonly portBase: number | undefined;
  readonly keep: boolean;
  readonly json: string | undefined;
}

export const USAGE = `npm run drill:restarts -- [--restarts 50] [--share 0.5] [--measure-seconds 20]
      [--people 10000] [--keys 20] [--seed 1] [--port-base N] [--keep] [--json FILE]

  Two instances of every service; capacity is measured, then each process in turn is ended by SIGTERM under that share of it.`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): RestartOptions {
  const given = new DrillArguments(argv, {
    usage: USAGE,
    texts: ['restarts', 'people', 'keys', 'seed', 'share', 'measure-seconds', 'port-base', 'json'],
    flags: ['keep'],
  });
  return {
    restarts: given.whole('restarts', 50, 1),
    people: given.whole('people', 10_000, 10),
    keys: given.whole('keys', 20, 2),
    seed: given.whole('seed', 1, 0),
    share: given.share('share', 0.5),
    measureSeconds: given.whole('measure-seconds', 20, 1),
    portBase: given.portBase('port-base'),
    keep: given.flag('keep'),
    json: given.text('json'),
  };
}
