import { DrillArguments } from '../fleet/drill-arguments';

export interface UpgradeOptions {
  /** A tag or commit; undefined: the newest tag before this commit, or where there is none, the commit before. */
  readonly from: string | undefined;
  readonly people: number;
  readonly friendships: number;
  readonly keys: number;
  readonly perSecond: number;
  /** Between two instances. */
  readonly restMs: number;
  readonly portBase: number | undefined;
  readonly json: string | undefined;
}

export const USAGE = `npm run drill:upgrade -- [--from TAG_OR_COMMIT] [--rate 20] [--rest 3] [--keys 4]
      [--people 2000] [--friendships 6000] [--port-base N] [--json FILE]

  Starts the fleet of that commit, two instances of each service, with imports and requests through the gateway; migrates with
  the current build and puts it in place of one instance after the other. Exit code 0: no request failed, nothing was
  dead-lettered, every figure is exact.`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): UpgradeOptions {
  const given = new DrillArguments(argv, {
    usage: USAGE,
    texts: ['from', 'people', 'friendships', 'keys', 'rate', 'rest', 'port-base', 'json'],
  });
  const people = given.whole('people', 2_000, 10);
  return {
    from: given.text('from'),
    people,
    friendships: given.whole('friendships', 3 * people, people),
    keys: given.whole('keys', 4, 1),
    perSecond: given.above('rate', 20),
    restMs: given.above('rest', 3) * 1000,
    portBase: given.portBase('port-base'),
    json: given.text('json'),
  };
}
