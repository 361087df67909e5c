import { ApiError, apiErrors } from './api-error';
import type { DailyBudgets } from './daily-budgets';
import type { Fault, Faults } from './faults';
import type { SimulatedKey } from './keys';
import { execute } from './methods/execute';
import type { ExecuteOptions } from './methods/execute';
import { methodTable } from './methods/method-table';
import type { RateLimiter } from './rate-limiter';
import type { ApiRequest } from './request-parameters';
import type { Usage } from './usage';
import type { World } from './world';

export interface Answer {
  /** JSON. */
  body: string;
  /** False when the request was turned away before any method ran: such answers come back at once. */
  worked: boolean;
  /** HTTP status, 200 unless told; 0: the connection breaks instead. */
  status?: number;
}

export interface ApiOptions {
  execute: ExecuteOptions;
  /** Whether calls inside `execute` spend the daily budgets of their methods. */
  budgetsInsideExecute: boolean;
}

/** Major and minor: 5.131 is newer than 5.81. */
const OLDEST_VERSION = [5, 81] as const;

/** The API behind the network: token, limits, version, method, in this order (the order is an assumption). */
export class Api {
  private readonly keys: Map<string, SimulatedKey>;

  constructor(
    private readonly world: World,
    keys: readonly SimulatedKey[],
    private readonly limiter: RateLimiter,
    private readonly budgets: DailyBudgets,
    private readonly usage: Usage,
    private readonly faults: Faults,
    private readonly options: ApiOptions,
  ) {
    this.keys = new Map(keys.map((key) => [key.token, key]));
  }

  /** From now on the key has this token, and its old one is no token. */
  rotate(name: string, token: string): void {
    const old = [...this.keys.values()].find((key) => key.name === name);
    if (old === undefined) return;
    this.keys.delete(old.token);
    this.keys.set(token, { ...old, token });
  }

  /** Answers a request that arrives at `at`. Must be called in the order of arrivals. */
  arrive(method: string, request: ApiRequest, at: number): Answer {
    const key = request.token === undefined ? undefined : this.keys.get(request.token);
    if (key === undefined) {
      this.usage.withoutKey();
      const error = request.token === undefined ? apiErrors.noToken() : apiErrors.invalidToken();
      return { body: envelope(error, method, request), worked: false };
    }
    if (!this.limiter.admit(key.bucket, key.perSecond, at)) {
      this.usage.request(key, method, 'refused', at);
      return { body: envelope(apiErrors.tooManyPerSecond(), method, request), worked: false };
    }
    const fault = this.faults.of(key.name);
    if (fault !== undefined) return this.failAsPlanted(fault, key, method, request, at);
    try {
      this.checkVersion(request);
      const body = this.run(key, method, request, at);
      this.usage.request(key, method, 'served', at);
      return { body, worked: true };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const fate = error.code === 29 ? 'overBudget' : 'served';
      this.usage.request(key, method, fate, at);
      if (fate === 'served') this.usage.methodError(key, method, error.code);
      return { body: envelope(error, method, request), worked: fate === 'served' };
    }
  }

  private failAsPlanted(
    fault: Fault,
    key: SimulatedKey,
    method: string,
    request: ApiRequest,
    at: number,
  ): Answer {
    this.usage.request(key, method, 'served', at);
    if (fault.kind === 'error') {
      this.usage.methodError(key, method, fault.error.code);
      return { body: envelope(fault.error, method, request), worked: false };
    }
    const body = '<html><body>planted fault</body></html>\n';
    return { body, worked: false, status: fault.kind === 'status' ? fault.status : 0 };
  }

  private run(key: SimulatedKey, method: string, { parameters }: ApiRequest, at: number): string {
    if (method.startsWith('execute.')) throw apiErrors.unknownProcedure();
    if (method !== 'execute') {
      return JSON.stringify({ response: this.call(key, method, parameters, at, true) });
    }
    if (!this.budgets.spend(key.name, 'execute', at)) throw apiErrors.budgetSpent();
    const inside = (name: string, inner: ReadonlyMap<string, string>): unknown => {
      this.usage.innerCall(key, name);
      return this.call(key, name, inner, at, this.options.budgetsInsideExecute);
    };
    return execute(parameters, inside, this.options.execute);
  }

  private call(
    key: SimulatedKey,
    name: string,
    parameters: ReadonlyMap<string, string>,
    at: number,
    spends: boolean,
  ): unknown {
    const method = methodTable.get(name);
    if (method === undefined) throw apiErrors.unknownMethod();
    if (!method.kinds.includes(key.kind)) {
      throw key.kind === 'community' ? apiErrors.notForCommunities() : apiErrors.notForServices();
    }
    if (spends && !this.budgets.spend(key.name, name, at)) throw apiErrors.budgetSpent();
    return method.answer({ world: this.world, key, parameters, at });
  }

  private checkVersion({ parameters }: ApiRequest): void {
    const [, major, minor] = /^(\d{1,4})\.(\d{1,4})$/.exec(parameters.get('v') ?? '') ?? [];
    if (major === undefined) throw apiErrors.oldVersion();
    const difference = Number(major) - OLDEST_VERSION[0] || Number(minor) - OLDEST_VERSION[1];
    if (difference < 0) throw apiErrors.oldVersion();
  }
}

function envelope(error: ApiError, method: string, { parameters }: ApiRequest): string {
  const own = [...parameters].map(([key, value]) => ({ key, value }));
  const added = [
    { key: 'method', value: method },
    { key: 'oauth', value: '1' },
  ];
  return JSON.stringify({
    error: {
      error_code: error.code,
      error_msg: error.message,
      request_params: error.methodFirst ? [...added, ...own] : [...own, ...added],
    },
  });
}
