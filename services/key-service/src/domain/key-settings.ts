import { keyInput } from './errors';

/** Calls that a key may make. Windows of a minute and more are rolling; what is absent is unlimited. */
export interface KeyLimits {
  perSecond: number;
  perMinute?: number;
  perHour?: number;
  perDay?: number;
  /** Calls of one method in a rolling day. */
  methodsPerDay?: Readonly<Record<string, number>>;
}

const LONGER = ['perMinute', 'perHour', 'perDay'] as const;
const MOST_CALLS = 1_000_000_000;
const MOST_METHODS = 50;
const MOST_SHARES = 50;
const MOST_SCOPES = 50;
const METHOD = /^[A-Za-z][A-Za-z0-9]{0,31}(\.[A-Za-z][A-Za-z0-9]{0,31})?$/;
const WORKSPACE = /^[a-z0-9][a-z0-9-]{0,62}$/;
const SCOPE = /^[A-Za-z0-9._:-]{1,64}$/;

/** The limits of a key: its own figures over the quota of its kind, which they may not exceed. */
export function limitsOf(quota: number, given: Partial<KeyLimits>): KeyLimits {
  const limits: KeyLimits = { perSecond: figure('limits.perSecond', given.perSecond ?? quota, quota) };
  for (const name of LONGER) {
    const value = given[name];
    if (value !== undefined) limits[name] = figure(`limits.${name}`, value, MOST_CALLS);
  }
  const methods = Object.entries(given.methodsPerDay ?? {});
  if (methods.length > MOST_METHODS) {
    throw keyInput('limits.methodsPerDay', `must name at most ${MOST_METHODS} methods`);
  }
  for (const [method, calls] of methods) {
    if (!METHOD.test(method))
      throw keyInput('limits.methodsPerDay', 'must have names of methods as its fields');
    figure(`limits.methodsPerDay.${method}`, calls, MOST_CALLS);
  }
  return methods.length === 0 ? limits : { ...limits, methodsPerDay: Object.fromEntries(methods) };
}

export function weightOf(weight: number): number {
  if (!Number.isInteger(weight) || weight < 1 || weight > 100) {
    throw keyInput('weight', 'must be a whole number from 1 to 100');
  }
  return weight;
}

/** Each once, in the order of the alphabet. */
export function scopesOf(scopes: readonly string[]): string[] {
  if (scopes.length > MOST_SCOPES) throw keyInput('scopes', `must be at most ${MOST_SCOPES}`);
  const bad = scopes.findIndex((scope) => !SCOPE.test(scope));
  if (bad >= 0) throw keyInput(`scopes.${bad}`, 'must be 1 to 64 letters, digits, dots, colons or hyphens');
  return [...new Set(scopes)].sort();
}

/** Workspaces that a key is shared with: each once, in the order of the alphabet, never its own. */
export function sharesOf(own: string, workspaces: readonly string[]): string[] {
  if (workspaces.length > MOST_SHARES) throw keyInput('workspaces', `must be at most ${MOST_SHARES}`);
  workspaces.forEach((workspace, index) => {
    if (!WORKSPACE.test(workspace)) throw keyInput(`workspaces.${index}`, 'must be the id of a workspace');
    if (workspace === own) throw keyInput(`workspaces.${index}`, 'must be another workspace than its own');
  });
  return [...new Set(workspaces)].sort();
}

function figure(field: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw keyInput(field, `must be a whole number from 1 to ${most}`);
}
