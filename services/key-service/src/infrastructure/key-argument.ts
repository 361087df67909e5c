import type { ApiKey } from '../domain/api-key';
import { longLimitsOf, methodOf } from '../domain/limits';
import { rulesOf } from '../domain/networks';
import { micros } from './script-figures';

/** A key as the script is told of it. */
export function keyArgument({ details, stateInPool }: ApiKey): object {
  return {
    id: details.id,
    r: details.version,
    v: details.tokenVersion,
    s: stateInPool,
    n: details.network,
    ...(details.refreshable === true && { rf: 1 }),
    c: micros(details.createdAt),
    q: details.limits.perSecond,
    b: details.bucket,
    z: [details.workspaceId, ...details.sharedWith].flatMap((workspaceId) =>
      poolNames(workspaceId, details.network, [details.kind]),
    ),
    e: details.egress ?? undefined,
    w: details.weight === 1 ? undefined : details.weight,
    lim: limitsArgument(details),
  };
}

/** The pools that a workspace's keys of these kinds stand in. */
export function poolNames(workspaceId: string, network: string, kinds: readonly string[]): string[] {
  return kinds.map((kind) => `${workspaceId}:${network}:${kind}`);
}

/** The longer limits of a key as the script has them, or undefined when it has none. */
function limitsArgument(details: ApiKey['details']): object | undefined {
  const limits = longLimitsOf(details.limits, rulesOf(details.network)?.methodsPerDay);
  if (limits.length === 0) return undefined;
  const whole = limits.filter(({ name }) => methodOf(name) === undefined);
  const byMethod = limits.filter(({ name }) => methodOf(name) !== undefined);
  return {
    ...Object.fromEntries(whole.map(({ name, calls }) => [name, calls])),
    ...(byMethod.length > 0 && {
      m: Object.fromEntries(byMethod.map(({ name, calls }) => [methodOf(name), calls])),
    }),
  };
}
