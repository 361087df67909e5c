import { ArangoFault, unsupported } from '../faults';
import { aqlFunction, identity } from './functions';
import type { Evaluate, Frame } from './scope';
import { compareValues } from './values';

export interface CollectPlan {
  keys: { slot: number; by: Evaluate }[];
  aggregates: { slot: number; function: string; argument: Evaluate }[];
  into?: { slot: number; project: (frame: Frame) => unknown };
  countSlot?: number;
}

interface Group {
  values: unknown[];
  count: number;
  members: unknown[];
  aggregated: unknown[][];
}

const AGGREGATES: Readonly<Record<string, string>> = {
  COUNT: 'LENGTH',
  LENGTH: 'LENGTH',
  SUM: 'SUM',
  MIN: 'MIN',
  MAX: 'MAX',
  AVG: 'AVG',
  AVERAGE: 'AVG',
  UNIQUE: 'UNIQUE',
  SORTED_UNIQUE: 'SORTED_UNIQUE',
  COUNT_DISTINCT: 'COUNT_DISTINCT',
  COUNT_UNIQUE: 'COUNT_DISTINCT',
};

/** Groups all rows, then yields one frame a group, sorted by the keys. Without keys exactly one group exists. */
export function* collectRows(plan: CollectPlan, input: Iterable<Frame>, outer: Frame): Iterable<Frame> {
  const groups = new Map<string, Group>();
  const group = (values: unknown[]): Group => {
    const id = identity(values);
    let found = groups.get(id);
    if (!found)
      groups.set(id, (found = { values, count: 0, members: [], aggregated: plan.aggregates.map(() => []) }));
    return found;
  };
  if (plan.keys.length === 0) group([]);
  for (const frame of input) {
    const into = group(plan.keys.map(({ by }) => by(frame)));
    into.count += 1;
    if (plan.into) into.members.push(plan.into.project(frame));
    plan.aggregates.forEach(({ argument }, i) => into.aggregated[i]?.push(argument(frame)));
  }
  for (const found of [...groups.values()].sort((a, b) => compareValues(a.values, b.values))) {
    const frame = outer.slice();
    plan.keys.forEach(({ slot }, i) => (frame[slot] = found.values[i] ?? null));
    if (plan.into) frame[plan.into.slot] = found.members;
    if (plan.countSlot !== undefined) frame[plan.countSlot] = found.count;
    plan.aggregates.forEach(({ slot, function: name }, i) => {
      frame[slot] = aqlFunction(AGGREGATES[name] as string)(found.aggregated[i] ?? []) ?? null;
    });
    yield frame;
  }
}

export function requireAggregate(name: string): string {
  if (Object.hasOwn(AGGREGATES, name)) return name;
  if (
    ['VARIANCE', 'STDDEV', 'PUSH', 'BIT_AND', 'BIT_OR', 'BIT_XOR'].some((known) => name.startsWith(known))
  ) {
    throw unsupported(`AGGREGATE ${name}()`);
  }
  throw new ArangoFault(1574, 'invalid aggregate expression');
}
