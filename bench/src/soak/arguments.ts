import { DrillArguments } from '../fleet/drill-arguments';

export interface SoakOptions {
  /** Watched, after the warm-up. */
  readonly minutes: number;
  readonly warmUpMinutes: number;
  readonly measureSeconds: number;
  /** Of the measured rate. */
  readonly share: number;
  readonly people: number;
  readonly keys: number;
  readonly seed: number;
  readonly portBase: number | undefined;
  readonly keep: boolean;
  readonly json: string | undefined;
}

export const USAGE = `npm run soak -- [--minutes 30] [--warm-up 5] [--share 0.8] [--measure-seconds 30]
      [--people 5000] [--keys 20] [--seed 1] [--port-base N] [--keep] [--json FILE]

  The rate is measured first. Then refreshes of a fixed graph, reads and streams go on at a share of it.`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): SoakOptions {
  const given = new DrillArguments(argv, {
    usage: USAGE,
    texts: ['minutes', 'warm-up', 'measure-seconds', 'share', 'people', 'keys', 'seed', 'port-base', 'json'],
    flags: ['keep'],
  });
  return {
    minutes: given.number('minutes', 30, 0.5),
    warmUpMinutes: given.number('warm-up', 5, 0.1),
    measureSeconds: given.number('measure-seconds', 30, 1),
    share: given.share('share', 0.8),
    people: given.whole('people', 5_000, 10),
    keys: given.whole('keys', 20, 1),
    seed: given.whole('seed', 1, 0),
    portBase: given.portBase('port-base'),
    keep: given.flag('keep'),
    json: given.text('json'),
  };
}
