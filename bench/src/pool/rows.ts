import { PEERS, type SystemName, SYSTEMS, TUNED } from './systems';

export type WindowKind = 'sliding' | 'fixed-clock' | 'fixed-first-call';
export type Scenario = 'steady' | 'shift' | 'foreign';

/** One line of the sweep: what the provider is like, and what is asked of the pool there. */
export interface Row {
  name: string;
  /** Groups by which the row can be chosen. */
  groups: readonly string[];
  window: WindowKind;
  jitterMs: number;
  replyJitterMs: number;
  /** Service time (ms): `80` or `50-300`. */
  delay: string;
  scenario: Scenario;
  /** Worker processes, where the row says so. */
  workers?: number;
  /** Seconds that are measured, where the scenario needs its own. */
  seconds?: number;
  systems: readonly SystemName[];
  /** What `--check` asks: utilisation of the quota, or share of the ceiling. */
  bar?: { used: number } | { ofCeiling: number };
}

const JITTERS = [0, 5, 20, 50, 100];
/** The scenario `shift`: seconds at 20, at 100 and again at 20 ms. */
export const SHIFT = { before: 60, during: 60, after: 90, lowMs: 20, highMs: 100 };

const plain = { window: 'sliding', scenario: 'steady', systems: SYSTEMS } as const;

/** The whole sweep, in the order in which it is run. */
export const ROWS: readonly Row[] = [
  ...JITTERS.map((jitterMs): Row => {
    const bar = jitterMs === 20 ? { used: 0.97 } : { ofCeiling: 0.98 };
    return {
      ...plain,
      name: `jitter-${jitterMs}`,
      groups: ['sliding'],
      jitterMs,
      replyJitterMs: 0,
      delay: '80',
      ...(jitterMs !== 5 && { bar }),
    };
  }),
  ...JITTERS.map((jitterMs): Row => ({
    ...plain,
    name: `jitter-${jitterMs}-varied`,
    groups: ['sliding', 'varied'],
    jitterMs,
    replyJitterMs: jitterMs,
    delay: '50-300',
    bar: { ofCeiling: jitterMs <= 20 ? 0.97 : jitterMs === 50 ? 0.94 : 0.91 },
  })),
  ...(['fixed-clock', 'fixed-first-call'] as const).map((window): Row => ({
    ...plain,
    name: window,
    groups: ['fixed'],
    window,
    jitterMs: 20,
    replyJitterMs: 0,
    delay: '80',
    bar: { used: 0.995 },
  })),
  ...[1, 2, 4, 8].map((workers): Row => ({ ...ours(`workers-${workers}`, 'workers'), workers })),
  {
    ...ours('shift', 'scenarios'),
    scenario: 'shift',
    seconds: SHIFT.before + SHIFT.during + SHIFT.after,
  },
  { ...ours('foreign', 'scenarios'), scenario: 'foreign', bar: { used: 0.97 } },
];

function ours(name: string, group: string): Row {
  return {
    ...plain,
    name,
    groups: [group, 'scenarios'],
    jitterMs: 20,
    replyJitterMs: 0,
    delay: '80',
    systems: ['ours'],
  };
}

/** Rows by name or group, in the order of the sweep; `all` is every one. Throws one sentence for an unknown word. */
export function chooseRows(words: readonly string[]): Row[] {
  const named = (row: Row, word: string): boolean =>
    word === 'all' || row.name === word || row.groups.includes(word);
  for (const word of words) {
    if (!ROWS.some((row) => named(row, word))) {
      const known = [...new Set(['all', ...ROWS.flatMap((row) => [...row.groups, row.name])])];
      throw new Error(`--rows: there is no "${word}"; known are ${known.join(', ')}.`);
    }
  }
  return ROWS.filter((row) => words.some((word) => named(row, word)));
}

/** Systems by name or group (`peers`, `tuned`, `all`), in the usual order. */
export function chooseSystems(words: readonly string[]): SystemName[] {
  const groups: Record<string, readonly SystemName[]> = { all: SYSTEMS, peers: PEERS, tuned: TUNED };
  const chosen = new Set<SystemName>();
  for (const word of words) {
    const found = groups[word] ?? SYSTEMS.filter((system) => system === word);
    if (found.length === 0)
      throw new Error(
        `--systems: there is no "${word}"; known are all, peers, tuned, ${SYSTEMS.join(', ')}.`,
      );
    for (const system of found) chosen.add(system);
  }
  return SYSTEMS.filter((system) => chosen.has(system));
}
