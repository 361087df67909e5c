import type { IntervalHistogram } from 'node:perf_hooks';
import type { Captchas } from './captchas';
import type { World } from './content/world';
import type { DailyBudgets } from './daily-budgets';
import { readFaultScript } from './faults';
import type { Faults } from './faults';
import type { SimulatedKey } from './keys';
import type { Network } from './network';
import type { OAuth } from './oauth';
import type { RateLimiter } from './rate-limiter';
import { readNetwork } from './settings';
import type { SimulatorClock } from './simulator-clock';
import type { TimedLine } from './timed-line';
import type { Usage } from './usage';
import { communities, describedWorld, driftNow, seedsOf, wallOf } from './world-pages';

export const LAG_RESOLUTION_MS = 10;

export interface OwnPage {
  status: number;
  body: object;
}

export interface Described {
  clock: SimulatorClock;
  line: TimedLine;
  usage: Usage;
  limiter: RateLimiter;
  budgets: DailyBudgets;
  network: Network;
  faults: Faults;
  captchas: Captchas;
  world: World;
  oauth: OAuth;
  lag: IntervalHistogram;
  keys: readonly SimulatedKey[];
}

/** The pages that describe the simulator and change it while it runs; no client of VK ever asks for them. */
export class OwnPages {
  constructor(private readonly of: Described) {}

  page(httpMethod: string, url: string): OwnPage | undefined {
    const { pathname, searchParams } = new URL(url, 'http://simulator');
    try {
      const body =
        httpMethod === 'GET'
          ? this.described(pathname, searchParams)
          : httpMethod === 'POST'
            ? this.controlled(pathname, searchParams)
            : httpMethod === 'DELETE'
              ? this.removed(pathname, searchParams)
              : undefined;
      return body && { status: 200, body };
    } catch (error) {
      return { status: 400, body: { error: (error as Error).message } };
    }
  }

  private described(path: string, query: URLSearchParams): object | undefined {
    const { usage, keys, clock, oauth, world, faults, captchas } = this.of;
    switch (path) {
      case '/stats':
        return {
          ...usage.report(keys, query.get('times') === '1'),
          clock: clock.now(),
          eventLoopLagMs: this.lagReport(),
        };
      case '/oauth':
        return { mode: oauth.mode, refreshed: oauth.refreshed, refused: oauth.refused };
      case '/seeds':
        return seedsOf(world, query.get('reachable') === '1');
      case '/world':
        return describedWorld(world);
      case '/groups':
        return communities(world, query);
      case '/walls':
        return wallOf(world, query);
      case '/drift':
        return { events: world.drift.events };
      case '/faults':
        return faults.list();
      case '/captchas':
        return { pending: captchas.list() };
      case '/clock':
        return { clock: clock.now() };
      case '/health':
        return { status: 'up' };
      default:
        return undefined;
    }
  }

  /** What changes the simulator while it runs. */
  private controlled(path: string, query: URLSearchParams): object | undefined {
    const { clock, line, network, oauth, world } = this.of;
    switch (path) {
      case '/reset':
        return this.reset();
      case '/oauth':
        return { mode: oauth.setMode(query.get('mode') ?? 'usual') };
      case '/network':
        return network.change(readNetwork(query));
      case '/faults':
        return this.plant(query);
      case '/clock':
        clock.advance(Number(query.get('advance') ?? Number.NaN));
        line.hurry();
        return { clock: clock.now() };
      case '/drift':
        return driftNow(world, query, clock.now());
      default:
        return undefined;
    }
  }

  private removed(path: string, query: URLSearchParams): object | undefined {
    if (path !== '/faults') return undefined;
    const id = query.get('id');
    if (id === null) this.of.faults.reset();
    else if (!this.of.faults.remove(Number(id))) throw new Error(`There is no fault ${id}.`);
    return this.of.faults.list();
  }

  private plant(query: URLSearchParams): object {
    const { faults, keys, clock } = this.of;
    const words = Object.fromEntries(query);
    const { key, answer, ...selectors } = words;
    if (key !== '*' && !keys.some(({ name }) => name === key) && (key !== undefined || isEmpty(selectors))) {
      throw new Error('key must be the name of a key.');
    }
    const since = clock.now();
    if (key !== undefined && key !== '*' && isEmpty(selectors)) {
      faults.plant(key, answer ?? 'none');
      return { key, answer: answer ?? 'none', since };
    }
    return { id: faults.script(readFaultScript(words), since), ...words, since };
  }

  private reset(): object {
    const { limiter, budgets, usage, lag, network, faults, captchas, world } = this.of;
    for (const part of [limiter, budgets, usage, lag, network, faults, captchas, world.drift]) part.reset();
    return { reset: true };
  }

  private lagReport(): object {
    const { lag } = this.of;
    const beyond = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - LAG_RESOLUTION_MS);
    return { mean: beyond(lag.mean), p99: beyond(lag.percentile(99)), max: beyond(lag.max) };
  }
}

const isEmpty = (object: object): boolean => Object.keys(object).length === 0;
