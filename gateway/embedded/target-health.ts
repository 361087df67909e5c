import http from 'node:http';
import { integer, list, object, oneOf, otherwise, text } from './field-rules';
import type { Rule } from './field-rules';
import type { Address } from './targets';

interface Failures {
  http_failures: number;
  tcp_failures: number;
  timeouts: number;
  http_statuses: number[];
}

/** The `healthchecks` of an upstream, with Kong's own field names. A limit of 0 switches that kind off. */
export interface HealthRules {
  active: {
    type: 'http';
    http_path: string;
    /** Seconds, as all times of this section. */
    timeout: number;
    healthy: { interval: number; successes: number; http_statuses: number[] };
    unhealthy: Failures & { interval: number };
  };
  passive: {
    type: 'http';
    healthy: { successes: number; http_statuses: number[] };
    unhealthy: Failures;
  };
}

const upTo = (most: number): Rule<number> => otherwise(integer(0, most), 0);
const statuses =
  (...usual: number[]): Rule<number[]> =>
  (value, where) =>
    value === undefined ? usual : list(integer(100, 999))(value, where);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);
const none = {};

/** Kong's defaults for what is absent: everything off. */
export const healthRules: Rule<HealthRules> = (value, where) =>
  object<HealthRules>({
    active: (active, at) =>
      object<HealthRules['active']>({
        type: otherwise(oneOf('http'), 'http'),
        http_path: otherwise(text, '/'),
        timeout: otherwise(integer(1, 60), 1),
        healthy: (healthy, here) =>
          object<HealthRules['active']['healthy']>({
            interval: upTo(3600),
            successes: upTo(255),
            http_statuses: statuses(200, 302),
          })(healthy ?? none, here),
        unhealthy: (unhealthy, here) =>
          object<HealthRules['active']['unhealthy']>({
            interval: upTo(3600),
            http_failures: upTo(255),
            tcp_failures: upTo(255),
            timeouts: upTo(255),
            http_statuses: statuses(429, 404, ...range(500, 505)),
          })(unhealthy ?? none, here),
      })(active ?? none, at),
    passive: (passive, at) =>
      object<HealthRules['passive']>({
        type: otherwise(oneOf('http'), 'http'),
        healthy: (healthy, here) =>
          object<HealthRules['passive']['healthy']>({
            successes: upTo(255),
            http_statuses: statuses(...range(200, 208), 226, ...range(300, 308)),
          })(healthy ?? none, here),
        unhealthy: (unhealthy, here) =>
          object<Failures>({
            http_failures: upTo(255),
            tcp_failures: upTo(255),
            timeouts: upTo(255),
            http_statuses: statuses(429, 500, 503),
          })(unhealthy ?? none, here),
      })(passive ?? none, at),
  })(value ?? none, where);

type Kind = 'success' | 'http' | 'tcp' | 'timeout';

interface Peer {
  address: Address;
  healthy: boolean;
  counted: Record<Kind, number>;
  probing: boolean;
  probedAt: number;
}

const TICK_MS = 100;
const nothing = (): Record<Kind, number> => ({ success: 0, http: 0, tcp: 0, timeout: 0 });

/**
 * Which addresses of one upstream get requests. As in Kong one set of counters serves active and passive checks; a
 * success forgets failures, a failure forgets successes, and a counter that reaches its limit turns the address.
 */
export class TargetHealth {
  private readonly peers = new Map<string, Peer>();
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(
    addresses: readonly Address[],
    readonly rules: HealthRules,
    private readonly probe: (address: Address, path: string, timeoutMs: number) => Promise<Outcome> = ask,
  ) {
    for (const address of addresses) {
      const peer = {
        address,
        healthy: true,
        counted: nothing(),
        probing: false,
        probedAt: performance.now(),
      };
      this.peers.set(nameOf(address), peer);
    }
    const { healthy, unhealthy } = rules.active;
    if (healthy.interval + unhealthy.interval > 0)
      this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Every limit is 0: all targets get requests, whatever happens. */
  get isOff(): boolean {
    const { healthy, unhealthy } = this.rules.active;
    const limits = [this.rules.passive.unhealthy, ...(healthy.interval > 0 ? [unhealthy] : [])];
    return limits.every((each) => each.http_failures + each.tcp_failures + each.timeouts === 0);
  }

  /** Whether it can go on under another configuration. */
  fits(addresses: readonly Address[], rules: HealthRules): boolean {
    const names = new Set(addresses.map(nameOf));
    return (
      names.size === this.peers.size &&
      [...names].every((name) => this.peers.has(name)) &&
      JSON.stringify(rules) === JSON.stringify(this.rules)
    );
  }

  stop(): void {
    clearInterval(this.timer);
  }

  isHealthy(address: Address): boolean {
    return this.peers.get(nameOf(address))?.healthy ?? true;
  }

  /** Each address and whether it gets requests, for the metric `kong_upstream_target_health`. */
  states(): { address: Address; healthy: boolean }[] {
    return [...this.peers.values()].map(({ address, healthy }) => ({ address, healthy }));
  }

  /** A request was answered with this status, by the upstream or (502, 504) in its place. */
  answered(address: Address, status: number): void {
    const { healthy, unhealthy } = this.rules.passive;
    if (status === 504) this.timedOut(address);
    else if (healthy.http_statuses.includes(status)) this.note(address, 'success', healthy.successes);
    else if (unhealthy.http_statuses.includes(status)) this.note(address, 'http', unhealthy.http_failures);
  }

  /** A connection was refused or broke, and another attempt follows. */
  broke(address: Address): void {
    this.note(address, 'tcp', this.rules.passive.unhealthy.tcp_failures);
  }

  timedOut(address: Address): void {
    this.note(address, 'timeout', this.rules.passive.unhealthy.timeouts);
  }

  private note(address: Address, kind: Kind, limit: number): void {
    const peer = this.peers.get(nameOf(address));
    if (peer === undefined || limit === 0) return;
    if (kind === 'success') peer.counted = { ...nothing(), success: peer.counted.success };
    else peer.counted.success = 0;
    if (peer.healthy === (kind === 'success')) return;
    peer.counted[kind] += 1;
    if (peer.counted[kind] < limit) return;
    peer.healthy = kind === 'success';
    peer.counted = nothing();
  }

  private tick(): void {
    const now = performance.now();
    for (const peer of this.peers.values()) {
      const { interval } = peer.healthy ? this.rules.active.healthy : this.rules.active.unhealthy;
      if (interval === 0 || peer.probing || now - peer.probedAt < interval * 1000) continue;
      peer.probing = true;
      peer.probedAt = now;
      void this.look(peer);
    }
  }

  private async look(peer: Peer): Promise<void> {
    const { active } = this.rules;
    const { healthy, unhealthy } = active;
    const outcome = await this.probe(peer.address, active.http_path, active.timeout * 1000);
    peer.probing = false;
    if (outcome === 'broke') this.note(peer.address, 'tcp', unhealthy.tcp_failures);
    else if (outcome === 'timed-out') this.note(peer.address, 'timeout', unhealthy.timeouts);
    else if (healthy.http_statuses.includes(outcome)) this.note(peer.address, 'success', healthy.successes);
    else if (unhealthy.http_statuses.includes(outcome))
      this.note(peer.address, 'http', unhealthy.http_failures);
  }
}

/** The status of a probe, or why there is none. */
export type Outcome = number | 'broke' | 'timed-out';

function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function ask({ host, port, target }: Address, path: string, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const request = http.get(
      { host, port, path, agent: false, headers: { host: target, connection: 'close' } },
      (answer) => {
        answer.resume();
        answer.on('error', () => undefined);
        done(answer.statusCode ?? 'broke');
      },
    );
    // Of the whole probe: a process that accepts and says nothing is as dead as one that refuses.
    const timer = setTimeout(() => {
      done('timed-out');
      request.destroy();
    }, timeoutMs);
    const done = (outcome: Outcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    request.on('error', () => done('broke'));
  });
}
