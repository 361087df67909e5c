import { ApiError, apiErrors, ExecuteStopped, OverBudget, Silence } from './api-error';
import { CallTimes } from './call-times';
import type { CaptchaForm, Captchas } from './captchas';
import { changedAnswer } from './changed-answer';
import type { World } from './content/world';
import type { DailyBudgets } from './daily-budgets';
import type { Fault, Faults } from './faults';
import type { KeyKind, SimulatedKey } from './keys';
import { envelope } from './error-envelope';
import { execute } from './methods/execute';
import type { ExecuteOptions } from './methods/execute';
import { methodTable } from './methods/method-table';
import type { RateLimiter } from './rate-limiter';
import type { ApiRequest } from './request-parameters';
import type { Usage } from './usage';

/** How an answer reaches the client when not simply as JSON. */
export type Delivery = { kind: 'status'; status: number } | { kind: 'reset' | 'hang' | 'truncated' | 'cut' };

export interface Answer {
  /** JSON, except with a status of its own. */
  body: string;
  /** False when the request was turned away before any method ran: such answers come back at once. */
  worked: boolean;
  /** Milliseconds that it takes longer than the network's service time. */
  extraMs: number;
  delivery?: Delivery;
}

export interface ApiOptions {
  execute: ExecuteOptions;
  /** Kinds of keys that may call `execute`. */
  executeKinds: readonly KeyKind[];
  /** Longest time that the calls of one `execute` may take together, 0 = any (error 36). */
  executeTimeoutMs: number;
  /** How long calls take inside `execute`, and how much longer outside, by method. */
  callMs: ReadonlyMap<string, number>;
  /** Whether calls inside `execute` spend the daily budgets of their methods. */
  budgetsInsideExecute: boolean;
  captchaForm: CaptchaForm;
  /** How long a user's token is good, 0 = for ever. */
  tokenLifetimeMs: number;
}

export interface ApiParts {
  world: World;
  limiter: RateLimiter;
  budgets: DailyBudgets;
  usage: Usage;
  faults: Faults;
  captchas: Captchas;
}

/** Major and minor as MethodCall.version: 5.131 is newer than 5.81. */
const OLDEST_VERSION = 5081;

/** The API behind the network: token, limits, faults, version, method, in this order (the order is an assumption). */
export class Api {
  private readonly keys: Map<string, SimulatedKey & { issuedAt: number }>;

  constructor(
    private readonly parts: ApiParts,
    keys: readonly SimulatedKey[],
    private readonly options: ApiOptions,
    now: number,
  ) {
    this.keys = new Map(keys.map((key) => [key.token, { ...key, issuedAt: now }]));
  }

  /** From now on the key has this token, and its old one is no token. */
  rotate(name: string, token: string, now: number): void {
    const old = [...this.keys.values()].find((key) => key.name === name);
    if (old === undefined) return;
    this.keys.delete(old.token);
    this.keys.set(token, { ...old, token, issuedAt: now });
  }

  /** Answers a request that arrives at `at`. Must be called in the order of arrivals. */
  arrive(method: string, request: ApiRequest, at: number): Answer {
    const { limiter, usage, faults } = this.parts;
    const key = request.token === undefined ? undefined : this.keys.get(request.token);
    if (key === undefined) {
      usage.withoutKey();
      const error = request.token === undefined ? apiErrors.noToken() : apiErrors.invalidToken();
      return turnedAway(error, method, request);
    }
    if (!limiter.admit(key.bucket, key.perSecond, at)) {
      usage.request(key, method, 'refused', at);
      return turnedAway(apiErrors.tooManyPerSecond(), method, request);
    }
    const { tokenLifetimeMs } = this.options;
    if (tokenLifetimeMs > 0 && key.kind === 'user' && at - key.issuedAt >= tokenLifetimeMs) {
      return this.failed(apiErrors.tokenExpired(), key, method, request, at);
    }
    const fault = faults.ofRequest(key.name, method, at);
    return fault === undefined
      ? this.serve(key, method, request, at)
      : this.meet(fault, key, method, request, at);
  }

  private serve(key: SimulatedKey, method: string, request: ApiRequest, at: number): Answer {
    const { usage } = this.parts;
    const times = new CallTimes(this.options.callMs, this.options.executeTimeoutMs);
    try {
      const body = this.run(key, method, request, at, times);
      usage.request(key, method, 'served', at);
      return { body, worked: true, extraMs: times.total };
    } catch (error) {
      if (error instanceof Silence) {
        usage.request(key, method, 'overBudget', at);
        return { body: '', worked: false, extraMs: 0, delivery: { kind: 'hang' } };
      }
      const cause = error instanceof ExecuteStopped ? error.error : error;
      if (!(cause instanceof ApiError)) throw cause;
      const fate = cause instanceof OverBudget ? 'overBudget' : 'served';
      usage.request(key, method, fate, at);
      if (fate === 'served') usage.methodError(key, method, cause.code);
      return { body: envelope(cause, method, request), worked: fate === 'served', extraMs: times.total };
    }
  }

  private meet(fault: Fault, key: SimulatedKey, method: string, request: ApiRequest, at: number): Answer {
    const { answer } = fault;
    switch (answer.kind) {
      case 'error':
        return this.failed(answer.error, key, method, request, at);
      case 'captcha': {
        const form = answer.form ?? this.options.captchaForm;
        const refusal = this.parts.captchas.refusal(key.name, request.parameters, form);
        if (refusal !== undefined) return this.failed(refusal, key, method, request, at);
        fault.lift();
        return this.serve(key, method, request, at);
      }
      case 'status':
      case 'reset':
      case 'hang': {
        this.parts.usage.request(key, method, 'served', at);
        return { body: '', worked: false, extraMs: 0, delivery: answer };
      }
      case 'truncated':
      case 'cut':
        return { delivery: { kind: answer.kind }, ...this.serve(key, method, request, at) };
      case 'late': {
        const served = this.serve(key, method, request, at);
        return { ...served, extraMs: served.extraMs + answer.ms };
      }
      case 'without':
      case 'retyped': {
        const served = this.serve(key, method, request, at);
        return served.delivery === undefined
          ? { ...served, body: changedAnswer(served.body, answer.kind, answer.path) }
          : served;
      }
    }
  }

  private failed(
    error: ApiError,
    key: SimulatedKey,
    method: string,
    request: ApiRequest,
    at: number,
  ): Answer {
    this.parts.usage.request(key, method, 'served', at);
    this.parts.usage.methodError(key, method, error.code);
    return turnedAway(error, method, request);
  }

  private run(
    key: SimulatedKey,
    method: string,
    { parameters }: ApiRequest,
    at: number,
    times: CallTimes,
  ): string {
    const version = versionOf(parameters);
    if (method.startsWith('execute.')) throw apiErrors.unknownProcedure();
    if (method !== 'execute') {
      times.spend(method);
      const spends = !this.passesCaptcha(key, method, parameters);
      return JSON.stringify({ response: this.call(key, method, parameters, at, version, spends) });
    }
    if (!this.options.executeKinds.includes(key.kind)) throw wrongKind(key);
    this.spend(key, method, at);
    const inside = (name: string, inner: ReadonlyMap<string, string>): unknown => {
      this.parts.usage.innerCall(key, name);
      times.spendInside(name);
      const fault = this.parts.faults.ofInnerCall(key.name, name, at);
      if (fault?.answer.kind === 'error') throw fault.answer.error;
      const own = inner.has('v') ? versionOf(inner) : version;
      return this.call(key, name, inner, at, own, this.options.budgetsInsideExecute);
    };
    return execute(parameters, inside, this.options.execute);
  }

  private call(
    key: SimulatedKey,
    name: string,
    parameters: ReadonlyMap<string, string>,
    at: number,
    version: number,
    spends: boolean,
  ): unknown {
    const method = methodTable.get(name);
    if (method === undefined) throw apiErrors.unknownMethod();
    if (!method.kinds.includes(key.kind)) throw wrongKind(key);
    if (spends) this.spend(key, name, at);
    return method.answer({ world: this.parts.world, key, parameters, at, version });
  }

  private spend(key: SimulatedKey, method: string, at: number): void {
    const refusal = this.parts.budgets.refusal(key.name, method, at);
    if (refusal === undefined) return;
    if (refusal === 'silence') throw new Silence();
    if (refusal === 'limit') throw apiErrors.budgetSpent();
    const asked = this.parts.captchas.challenge(scopeOf(key, method), this.options.captchaForm);
    throw new OverBudget(asked.code, asked.message, asked.extra);
  }

  /** Whether the request answers the captcha that the method's budget asked for; it is then let through once. */
  private passesCaptcha(key: SimulatedKey, method: string, parameters: ReadonlyMap<string, string>): boolean {
    if (!parameters.has('success_token') && !parameters.has('captcha_key')) return false;
    const { captchas, budgets } = this.parts;
    const scope = scopeOf(key, method);
    if (!captchas.isPending(scope)) return false;
    const refusal = captchas.refusal(scope, parameters, this.options.captchaForm);
    if (refusal !== undefined) throw new OverBudget(refusal.code, refusal.message, refusal.extra);
    budgets.forgive(key.name, method);
    return true;
  }
}

const scopeOf = (key: SimulatedKey, method: string): string => `${key.name} ${method}`;

const wrongKind = (key: SimulatedKey): ApiError =>
  key.kind === 'community' ? apiErrors.notForCommunities() : apiErrors.notForServices();

/** Throws 8 for a version that is missing, malformed or too old. */
function versionOf(parameters: ReadonlyMap<string, string>): number {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,3})$/.exec(parameters.get('v') ?? '') ?? [];
  const version = Number(major) * 1000 + Number(minor);
  if (major === undefined || version < OLDEST_VERSION) throw apiErrors.oldVersion();
  return version;
}

function turnedAway(error: ApiError, method: string, request: ApiRequest): Answer {
  return { body: envelope(error, method, request), worked: false, extraMs: 0 };
}
