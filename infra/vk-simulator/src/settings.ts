import { parseArgs } from 'node:util';
import { CAPTCHA_FORMS } from './captchas';
import type { CaptchaForm } from './captchas';
import { numbersByMethod, readContent, stages, USUAL_CONTENT } from './content-settings';
import type { ContentSettings } from './content-settings';
import type { DayKind } from './daily-budgets';
import type { KeyKind } from './keys';
import type { NetworkSettings } from './network';
import type { WindowKind } from './rate-limiter';

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
  hiddenBudgets: Map<string, number>;
  hiddenStages: readonly [captchas: number, limits: number];
  budgetsInsideExecute: boolean;
  day: DayKind;
  world: ContentSettings;
  clockSkewMs: number;
  trailingEntry: boolean;
  operations: number;
  executeKinds: KeyKind[];
  executeTimeoutMs: number;
  /** Milliseconds of one call, by method. */
  callMs: Map<string, number>;
  captchaForm: CaptchaForm;
  tokenLifetimeMs: number;
  /** Scripted faults to begin with: a JSON list. */
  faultsFile: string | undefined;
}

const USUAL: Record<string, string> = {
  ...USUAL_CONTENT,
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
  budget: 'wall.get=5000',
  'hidden-budget': 'groups.get=5500',
  'hidden-stages': '3-20',
  'clock-skew': '0',
  'trailing-entry': 'yes',
  operations: '1000',
  'execute-kinds': 'user,service,community',
  'execute-timeout': '10000',
  'call-time': 'none',
  captcha: 'both',
  'token-lifetime': '0',
};
const WITHOUT_USUAL = ['graph', 'id-shift', 'tokens-file', 'faults-file'];
const REPEATED = ['budget', 'hidden-budget', 'call-time'];
const KINDS: readonly KeyKind[] = ['user', 'service', 'community'];

/** Reads flags, then environment variables `VK_SIMULATOR_<FLAG>`, then defaults. Throws one sentence per fault. */
export function readSettings(argv: string[], env: NodeJS.ProcessEnv): Settings {
  const names = [...Object.keys(USUAL), ...WITHOUT_USUAL];
  const options = Object.fromEntries(
    names.map((name) => [name, { type: 'string' as const, multiple: REPEATED.includes(name) }]),
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
    budgets: numbersByMethod('budget', given('budget')),
    hiddenBudgets: numbersByMethod('hidden-budget', given('hidden-budget')),
    hiddenStages: stages(given('hidden-stages') as string),
    budgetsInsideExecute: choice('budget-in-execute', ['yes', 'no']) === 'yes',
    day: choice('day', ['rolling', 'moscow']),
    world: readContent(given),
    clockSkewMs: number('clock-skew', Number.NEGATIVE_INFINITY),
    trailingEntry: choice('trailing-entry', ['yes', 'no']) === 'yes',
    operations: number('operations', 1),
    executeKinds: kinds(given('execute-kinds') as string),
    executeTimeoutMs: number('execute-timeout', 0),
    callMs: numbersByMethod('call-time', given('call-time')),
    captchaForm: choice('captcha', CAPTCHA_FORMS),
    tokenLifetimeMs: number('token-lifetime', 0) * 1000,
    faultsFile: given('faults-file'),
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

function kinds(text: string): KeyKind[] {
  const found = text.split(',') as KeyKind[];
  if (found.some((kind) => !KINDS.includes(kind)))
    throw new Error(`--execute-kinds must be some of ${KINDS.join(', ')}.`);
  return found;
}
