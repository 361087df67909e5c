import { type LongLimit, longLimitsOf } from '../domain/limits';
import { type KeyKind, type NetworkRules, rulesOf, STRATEGIES, withTiming } from '../domain/networks';
import type { KeyLimits } from '../domain/key-settings';
import type { Counting } from './arrival-windows';
import type { Chance } from './chance';
import type { PathShape } from './provider';

export interface KeyPlan {
  id: string;
  workspaceId: string;
  kind: KeyKind;
  limits: KeyLimits;
  weight: number;
  /** Keys with the same name count together. */
  bucket?: string;
  egress?: string;
  sharedWith: string[];
}

/** What a seed plays; faults come on top of it. */
export interface Scenario {
  counting: Counting;
  rules: NetworkRules;
  path: PathShape;
  keys: KeyPlan[];
  /** Addresses that workers call from. */
  egresses: string[];
  /** What each import of a workspace asks for, as a rule. */
  imports: (readonly string[])[];
  /** Jitter may grow to this (us) in mid-run; undefined: it never does. */
  worstJitter: number | undefined;
}

export const WORKSPACES: readonly string[] = ['demo', 'other'];
/** Methods that one request needs. */
export const WORK: readonly (readonly string[])[] = [
  ['friends.get'],
  ['users.get'],
  ['friends.get', 'users.get'],
];
const IMPORTS = 4;
const KINDS: readonly KeyKind[] = ['user', 'user', 'user', 'service', 'user'];
/** What two workers' clocks may be wrong by at most, ms. */
const CLOCKS = 2 * (2 + 5);
const WORST = 5;

export function drawScenario(chance: Chance): Scenario {
  const counting = chance.pick<Counting>([
    ...(['sliding', 'sliding', 'sliding', 'sliding', 'sliding'] as const),
    ...(['fixed-clock', 'fixed-clock', 'fixed-first-call', 'fixed-first-call', 'fixed-first-call'] as const),
  ]);
  const declared = rulesOf('vk') as NetworkRules;
  const egresses = chance.flip(0.3) ? ['first', 'second'] : ['default'];
  const rules: NetworkRules = {
    ...withTiming(declared, {
      marginMs: declared.marginMs,
      slackMs: chance.pick([4, 10]),
      windowKind: counting === 'sliding' ? 'sliding' : 'fixed',
      windowAlignment: counting === 'fixed-first-call' ? 'first-call' : 'clock',
      strategy: chance.flip(0.4) ? 'earliest-free' : chance.pick(STRATEGIES),
      egressQuota: egresses.length > 1 && chance.flip(0.6) ? chance.whole(5, 12) : undefined,
    }),
  };
  // Windows that a call begins are learned from the first one: they hold no path that changes.
  const changes = counting === 'sliding' && chance.flip(0.35);
  return {
    ...{ counting, rules, egresses },
    ...pathOf(chance, rules, changes),
    keys: drawKeys(chance, egresses),
    imports: Array.from({ length: IMPORTS }, () => (chance.flip(0.85) ? ['friends.get'] : chance.pick(WORK))),
  };
}

/** Never worse than what a pool that has learned nothing reckons with: the declared margin. */
function pathOf(
  chance: Chance,
  rules: NetworkRules,
  changes: boolean,
): Pick<Scenario, 'path' | 'worstJitter'> {
  const widest = Math.max(0, rules.marginMs - rules.slackMs - CLOCKS) * 1000;
  const jitter = chance.flip(0.7) ? widest : chance.between(0, widest);
  const path = {
    base: chance.spread(200, 100_000),
    jitter: changes ? Math.min(jitter, widest / WORST) : jitter,
    ends: chance.flip(0.3),
  };
  return { path, worstJitter: changes ? path.jitter * chance.between(2, WORST) : undefined };
}

function drawKeys(chance: Chance, egresses: string[]): KeyPlan[] {
  const together = chance.flip(0.1);
  const plans = KINDS.map((usual, index): KeyPlan => {
    const kind = index === 2 && chance.flip(0.25) ? 'community' : usual;
    const quota = kind === 'community' ? 20 : chance.flip(0.8) ? 3 : chance.whole(1, 3);
    const bound = egresses.length > 1 && index > 0 && index < 3 && chance.flip(0.7);
    return {
      id: `key-${index}`,
      workspaceId: index === 4 ? 'other' : 'demo',
      kind,
      limits: { perSecond: quota, ...(chance.flip(0.12) && drawBudgets(chance)) },
      weight: chance.flip(0.5) ? 1 : chance.whole(1, 4),
      ...(together && index < 2 && { bucket: 'together' }),
      ...(bound && { egress: chance.pick(egresses) }),
      sharedWith: (index === 0 || index === 3) && chance.flip(0.35) ? ['other'] : [],
    };
  });
  const [first] = plans as [KeyPlan];
  return plans.map((plan) => (plan.bucket === undefined ? plan : { ...plan, limits: first.limits }));
}

/** Small enough to be spent within a run. */
function drawBudgets(chance: Chance): Partial<KeyLimits> {
  const calls = chance.whole(8, 60);
  return chance.pick<Partial<KeyLimits>>([
    { perMinute: calls },
    { perHour: calls },
    { perDay: calls },
    { methodsPerDay: { 'friends.get': calls } },
  ]);
}

/** Limits of the key that are longer than a window, those that its network declares aside. */
export function budgetsOf(limits: KeyLimits): LongLimit[] {
  return longLimitsOf(limits);
}
