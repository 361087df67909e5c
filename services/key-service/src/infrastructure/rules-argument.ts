import type { NetworkRules } from '../domain/networks';
import { micros } from './script-figures';

const LEAD_MS = 10;
/** A memory is ready this long after it began, at the most (2 windows, tolerance and margin). */
const MEMORY_TOLERANCE_MS = 3_500;
const HOLD_MS = 30_000;
const TRIAL_MS = 60_000;

const texts = new WeakMap<NetworkRules, string>();

/** The rules of a network as the script takes them; empty where a call is about none. They seldom change: made once. */
export function rulesArgument(rules: NetworkRules | undefined): string {
  if (rules === undefined) return '';
  const known = texts.get(rules) ?? JSON.stringify(inMicros(rules));
  texts.set(rules, known);
  return known;
}

function inMicros(rules: NetworkRules): object {
  return {
    network: rules.network,
    kind: rules.windowKind,
    align: rules.windowAlignment,
    window: micros(rules.windowMs),
    margin: micros(rules.marginMs),
    slack: micros(rules.slackMs),
    lead: micros(LEAD_MS),
    horizon: micros(rules.horizonMs),
    hold: micros(HOLD_MS),
    trial: micros(TRIAL_MS),
    settle: micros(MEMORY_TOLERANCE_MS),
    strategy: rules.strategy ?? 'earliest-free',
    egressQuota: rules.egressQuota,
  };
}
