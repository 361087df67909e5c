import { KEY_CIRCUIT, NETWORK_CIRCUIT, REFRESH_AGAIN_MS } from '../domain/circuit';
import type { Effect } from '../domain/outcomes';
import type { KeyRest, StoredRest } from '../domain/key-rests';
import type { KeyEvent } from '../domain/key-events';
import type { SlotReport } from '../domain/quota-ledger';
import { micros } from './script-figures';

/** Share of a pause by which chance shortens it. */
const SPREAD = 0.1;

/** What became of a slot. `chance` draws from [0, 1) for each effect. */
export function reportArgument(report: SlotReport, chance: () => number): object {
  if (report.outcome === 'unsent') return { slot: report.slot, o: 'unsent', effects: [] };
  const isAnswered = report.outcome === 'answered';
  return {
    slot: report.slot,
    o: report.outcome,
    sent: micros(report.sentAt),
    answered: isAnswered ? micros(report.answeredAt) : 0,
    date: isAnswered ? micros(report.serverDate ?? 0) : 0,
    effects: report.effects.map((effect) => effectArgument(effect, -SPREAD * chance())),
  };
}

/** An effect as the script takes it: microseconds, with the figures that it needs. `spread` shortens what is drawn. */
function effectArgument(effect: Effect, spread: number): object {
  switch (effect.kind) {
    case 'rest': {
      const { kind, code, baseMs, capMs, atLeastMs, owner } = effect;
      const pause = { base: micros(baseMs), cap: micros(capMs), atLeast: micros(atLeastMs), spread };
      return { kind, code, ...pause, ...(owner !== undefined && { owner }) };
    }
    case 'restMethods':
    case 'barMethods': {
      const { kind, code, methods, baseMs, capMs } = effect;
      return { kind, code, methods, base: micros(baseMs), cap: micros(capMs) };
    }
    case 'barEgress': {
      const { kind, code, baseMs, capMs } = effect;
      return { kind, code, base: micros(baseMs), cap: micros(capMs) };
    }
    case 'refresh':
      return { ...effect, again: micros(REFRESH_AGAIN_MS) };
    case 'fail':
      return {
        kind: effect.kind,
        code: effect.code,
        spread,
        inARow: KEY_CIRCUIT.inARow,
        share: KEY_CIRCUIT.share,
        least: KEY_CIRCUIT.leastCalls,
        base: micros(KEY_CIRCUIT.baseMs),
        cap: micros(KEY_CIRCUIT.capMs),
        netKeys: NETWORK_CIRCUIT.leastKeys,
        netWithin: micros(NETWORK_CIRCUIT.withinMs),
        netBase: micros(NETWORK_CIRCUIT.baseMs),
        netCap: micros(NETWORK_CIRCUIT.capMs),
      };
    case 'count':
      return { kind: effect.kind, code: effect.code };
    default:
      return effect;
  }
}

/** What the script says happened. Its times are texts: cjson would round numbers of that size. */
export function keyEventsOf(reply: string): KeyEvent[] {
  const told = JSON.parse(reply) as (Omit<KeyEvent, 'untilAt'> & { u?: string })[];
  return told.map(({ u, ...event }) => ({ ...event, ...(u !== undefined && { untilAt: Number(u) / 1000 }) }));
}

/** Rests of one key as the script lists them. */
export function restsOf(reply: string): KeyRest[] {
  const listed = JSON.parse(reply) as {
    kind: KeyRest['kind'];
    name: string;
    u: string;
    s: number;
    code?: number;
    trial: boolean;
    bar: boolean;
  }[];
  return listed
    .map(({ kind, name, u, s, code, trial, bar }) => ({
      kind,
      name,
      untilAt: Number(u) / 1000,
      lengthMs: s,
      code: code ?? 0,
      onTrial: trial,
      barred: bar,
    }))
    .sort((one, other) => one.untilAt - other.untilAt || (one.name < other.name ? -1 : 1));
}

export function storedRestArgument(rest: StoredRest): object {
  const { keyId, tokenVersion, kind, name, untilAt, lengthMs, code, barred } = rest;
  return {
    id: keyId,
    v: tokenVersion,
    kind,
    name,
    u: micros(untilAt),
    s: micros(lengthMs),
    code,
    bar: barred,
  };
}
