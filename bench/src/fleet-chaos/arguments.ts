import { ArgumentFault, DrillArguments } from '../fleet/drill-arguments';
import { type Cell, chosenBy, KINDS, MATRIX, PROCESSES, SERVERS } from './fault-plan';

export interface FleetChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly faults: readonly Cell[];
  readonly people: number;
  readonly friendships: number;
  readonly keys: number;
  readonly portBase: number | undefined;
  readonly keep: boolean;
  readonly json: string | undefined;
}

export const USAGE = `npm run chaos:fleet -- [--seed 1] [--minutes 10] [--faults kill,stall:kafka,parser-service]
      [--people 20000] [--friendships 60000] [--keys 20] [--port-base N] [--keep] [--json FILE]

  --faults   kinds, targets or kind:target; all unless told
             kinds: ${KINDS.join(', ')}
             targets: ${[...PROCESSES, ...SERVERS].join(', ')}
  --keep     the stack "drills" stays on disk with its logs`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): FleetChaosOptions {
  const given = new DrillArguments(argv, {
    usage: USAGE,
    texts: ['seed', 'minutes', 'faults', 'people', 'friendships', 'keys', 'port-base', 'json'],
    flags: ['keep'],
  });
  const people = given.whole('people', 20_000, 10);
  const faults = given.text('faults');
  return {
    seed: given.whole('seed', 1, 0),
    minutes: given.above('minutes', 10),
    faults: faults === undefined ? MATRIX : faultsIn(faults),
    people,
    friendships: given.whole('friendships', 3 * people, people),
    keys: given.whole('keys', 20, 1),
    portBase: given.portBase('port-base'),
    keep: given.flag('keep'),
    json: given.text('json'),
  };
}

/** What any of the words chooses, each once. */
function faultsIn(text: string): Cell[] {
  const chosen = text.split(',').flatMap((word) => {
    const cells = chosenBy(word);
    if (cells.length === 0) throw new ArgumentFault(`--faults: "${word}" is no kind, target or kind:target`);
    return cells;
  });
  return MATRIX.filter((cell) => chosen.includes(cell));
}
