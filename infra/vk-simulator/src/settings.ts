import { parseArgs } from 'node:util';
import type { DayKind } from './daily-budgets';
import type { NetworkSettings } from './network';
import type { WindowKind } from './rate-limiter';
import type { Visibility, WorldOptions } from './world';

export interface Settings {
  host: string;
  port: number;
  graph: string;
  idShift: number | undefined;
  seed: number;
  keys: { user: number; service: number; community: number };
  tokensFile: string | undefined;
  /** Service time, uniform between the two. */
  delayMs: readonly [number, number];
  /** Spread of the one-way delay of a request, and of a reply. */
  jitterMs: number;
  replyJitterMs: number;
  window: WindowKind;
  refusedCount: boolean;
  budgets: Map<string, number>;
  budgetsInsideExecute: boolean;
  day: DayKind;
  world: Pick<WorldOptions, 'shares' | 'named'>;
  clockSkewMs: number;
  trailingEntry: boolean;
  operations: number;
}

const USUAL: Record<string, string> = {
  host: '127.0.0.1',
  port: '47023',
  seed: '1',
  keys: '20',
  'service-keys': '0',
  'community-keys': '0',
  delay: '80',
  jitter: '0',
  'reply-jitter': '0',
  window: 'sliding',
  'refused-count': 'no',
  'budget-in-execute': 'yes',
  day: 'rolling',
  private: '0',
  hidden: '0',
  deleted: '0',
  banned: '0',
  'clock-skew': '0',
  'trailing-entry': 'yes',
  operations: '1000',
};
const WITHOUT_USUAL = ['graph', 'id-shift', 'tokens-file', 'budget'];

/** Reads flags, then environment variables `VK_SIMULATOR_<FLAG>`, then defaults. Throws one sentence per fault. */
export function readSettings(argv: string[], env: NodeJS.ProcessEnv): Settings {
  const names = [...Object.keys(USUAL), ...WITHOUT_USUAL];
  const options = Object.fromEntries(
    names.map((name) => [name, { type: 'string' as const, multiple: name === 'budget' }]),
  );
  const { values } = parseArgs({ args: argv, options, strict: true, allowPositionals: false });
  const given = (name: string): string | undefined => {
    const flag = values[name];
    if (Array.isArray(flag)) return flag.join(',');
    return typeof flag === 'string'
      ? flag
      : (env[`VK_SIMULATOR_${name.replaceAll('-', '_').toUpperCase()}`] ?? USUAL[name]);
  };
  const number = (name: string, least: number): number => {
    const value = Number(given(name));
    if (!Number.isFinite(value) || value < least)
      throw new Error(`--${name} must be a number of at least ${least}.`);
    return value;
  };
  const choice = <T extends string>(name: string, allowed: readonly T[]): T => {
    const value = given(name) as T;
    if (!allowed.includes(value)) throw new Error(`--${name} must be one of ${allowed.join(', ')}.`);
    return value;
  };
  const graph = given('graph');
  if (graph === undefined) throw new Error('--graph FILE is missing.');
  const shift = given('id-shift');
  return {
    host: given('host') as string,
    port: number('port', 0),
    graph,
    idShift: shift === undefined ? undefined : Number(shift),
    seed: number('seed', 0),
    keys: {
      user: number('keys', 0),
      service: number('service-keys', 0),
      community: number('community-keys', 0),
    },
    tokensFile: given('tokens-file'),
    delayMs: range('delay', given('delay') as string),
    jitterMs: number('jitter', 0),
    replyJitterMs: number('reply-jitter', 0),
    window: choice('window', ['sliding', 'fixed-clock', 'fixed-first-call']),
    refusedCount: choice('refused-count', ['yes', 'no']) === 'yes',
    budgets: budgets(given('budget')),
    budgetsInsideExecute: choice('budget-in-execute', ['yes', 'no']) === 'yes',
    day: choice('day', ['rolling', 'moscow']),
    world: people(given),
    clockSkewMs: number('clock-skew', Number.NEGATIVE_INFINITY),
    trailingEntry: choice('trailing-entry', ['yes', 'no']) === 'yes',
    operations: number('operations', 1),
  };
}

/** Changes of the network in mid-run, by the names of the flags. Throws one sentence per fault. */
export function readNetwork(query: URLSearchParams): Partial<NetworkSettings> {
  const number = (name: string): number => {
    const value = Number(query.get(name));
    if (!Number.isFinite(value) || value < 0) throw new Error(`${name} must be milliseconds.`);
    return value;
  };
  return {
    ...(query.has('jitter') && { jitterMs: number('jitter') }),
    ...(query.has('reply-jitter') && { replyJitterMs: number('reply-jitter') }),
    ...(query.has('delay') && { delayMs: range('delay', query.get('delay') as string) }),
  };
}

function range(name: string, text: string): readonly [number, number] {
  const parts = text.split('-').map(Number);
  const low = parts[0] ?? Number.NaN;
  const high = parts[1] ?? low;
  if (parts.length > 2 || !(low >= 0 && high >= low))
    throw new Error(`--${name} must be milliseconds: 80 or 50-300.`);
  return [low, high];
}

function budgets(text: string | undefined): Map<string, number> {
  const found = new Map<string, number>();
  for (const entry of (text ?? '').split(',').filter(Boolean)) {
    const [method, limit] = entry.split('=');
    if (method === undefined || !/^\d+$/.test(limit ?? ''))
      throw new Error(`--budget must be like friends.get=5000, not ${entry}.`);
    found.set(method, Number(limit));
  }
  return found;
}

/** `0.05` (with a point, or 0) is a share of the people; anything else is a list of ids as they are served. */
function people(given: (name: string) => string | undefined): Settings['world'] {
  const shares = { private: 0, hidden: 0, deleted: 0, banned: 0 };
  const named = new Map<number, Visibility>();
  for (const state of ['private', 'hidden', 'deleted', 'banned'] as const) {
    const text = given(state) as string;
    if (text === '0' || text.includes('.')) {
      shares[state] = Number(text);
      if (!(shares[state] >= 0 && shares[state] <= 1))
        throw new Error(`--${state} must be a share from 0 to 1.0, or ids.`);
      continue;
    }
    for (const id of text.split(',').map(Number)) {
      if (!Number.isSafeInteger(id) || id < 1)
        throw new Error(`--${state} must be a share from 0 to 1.0, or ids.`);
      named.set(id, state);
    }
  }
  return { shares, named };
}
