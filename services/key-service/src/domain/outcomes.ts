/** What a call's answer says about its key. What the pool does with it happens inside the Lua call of the settle. */
export type Effect =
  /** The key works: an earlier pause is over, a trial call of the lease's methods was good, but for some. */
  | { kind: 'fine'; except: string[] }
  /** The key rests: `baseMs`, doubling with each call that fails after it came back, at most `capMs`. */
  | {
      kind: 'rest';
      baseMs: number;
      capMs: number;
      atLeastMs: number;
      code: number;
      /** Why its owner is told, where only the owner can end it for good. */
      owner?: string;
    }
  /** These methods of the key rest, then one trial call; doubling to the cap. */
  | { kind: 'restMethods'; methods: Methods; baseMs: number; capMs: number; code: number }
  /** These methods of the key are refused to it: out for a day, then one trial call. */
  | { kind: 'barMethods'; methods: Methods; baseMs: number; capMs: number; code: number }
  /** Not from the address that the call came from; one trial call when it is over. */
  | { kind: 'barEgress'; baseMs: number; capMs: number; code: number }
  /** Another token is needed: one is asked for when the key has a refresh token, else the key is invalid. */
  | { kind: 'refresh'; reason: string; code: number }
  | { kind: 'invalidate'; reason: string; code: number }
  /** No answer, or a server's error: counted for the circuit of the key and that of the network. */
  | { kind: 'fail'; what: string; code: number }
  /** Not the key's fault: counted only. */
  | { kind: 'count'; what: string; code: number };

/** `all`: every method that the lease was for. */
type Methods = string[] | 'all';

/** The facts of one call, as its worker reports them. */
export interface CallFacts {
  outcome: 'answered' | 'broken';
  status?: number | undefined;
  error?: { code: number; text?: string | undefined } | undefined;
  methodErrors?: readonly { method: string; code: number; text?: string | undefined }[] | undefined;
  retryAfterMs?: number | undefined;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const TOO_MANY = { baseMs: SECOND, capMs: 10 * SECOND };
const FLOOD = { baseMs: 5 * MINUTE, capMs: HOUR };
const CAPTCHA = { baseMs: 10 * MINUTE, capMs: 6 * HOUR };
const METHOD_REST = { baseMs: HOUR, capMs: 24 * HOUR };
const METHOD_BAR = { baseMs: 24 * HOUR, capMs: 24 * HOUR };
const EGRESS_BAR = { baseMs: 6 * HOUR, capMs: 24 * HOUR };
/** A key must come back by itself, whatever a provider says. */
const LONGEST_RETRY_AFTER = 24 * HOUR;

/** Errors that are never the key's fault. */
const NOT_THE_KEY = new Set([1, 10, 13, 36, 43]);
/** Tokens that ran out. */
const EXPIRED = new Set([1114, 1117, 3609]);
/** Validations that only the account's owner can pass, by phone, password or mail. */
const NEEDS_OWNER = new Set([17, 3301, 3302, 3303, 3304, 3610]);
const CAPTCHAS = new Set([14, 3300]);
const OTHER_ADDRESS = new Set([42, 1118]);
const REFUSED = new Set([5, 1116]);

/** DESIGN 4's table of outcomes. An error about the object asked for (15, 18, 30, ...) speaks well of the key. */
export function effectsOf(facts: CallFacts): Effect[] {
  if (facts.outcome === 'broken') return [{ kind: 'fail', what: 'broken', code: 0 }];
  const status = facts.status ?? 200;
  if (status === 429) {
    const atLeastMs = Math.min(facts.retryAfterMs ?? 0, LONGEST_RETRY_AFTER);
    return [{ kind: 'rest', baseMs: SECOND, capMs: MINUTE, atLeastMs, code: status }];
  }
  if (status === 401) return [{ kind: 'refresh', reason: 'token-refused', code: status }];
  if (status >= 500) return [{ kind: 'fail', what: 'server-error', code: status }];
  if (facts.error !== undefined) return [effectOf(facts.error, 'all') ?? { kind: 'fine', except: [] }];
  const inner = (facts.methodErrors ?? [])
    // A packed call ends with a copy of its last error in the name of `execute` itself.
    .filter((error) => error.method !== 'execute')
    .map((error) => ({ method: error.method, effect: effectOf(error, [error.method]) }))
    .filter((found): found is { method: string; effect: Effect } => found.effect !== undefined);
  const except = [...new Set(inner.map((found) => found.method))];
  return [{ kind: 'fine', except }, ...withoutRepeats(inner.map((found) => found.effect))];
}

function effectOf(error: { code: number; text?: string | undefined }, methods: Methods): Effect | undefined {
  const { code } = error;
  const text = error.text ?? '';
  if (code === 6) return { kind: 'rest', ...TOO_MANY, atLeastMs: 0, code };
  if (code === 9) return { kind: 'rest', ...FLOOD, atLeastMs: 0, code };
  if (CAPTCHAS.has(code)) return { kind: 'rest', ...CAPTCHA, atLeastMs: 0, code, owner: 'captcha-needed' };
  if (code === 29) return { kind: 'restMethods', methods, ...METHOD_REST, code };
  if (OTHER_ADDRESS.has(code) || (code === 5 && /another ip address/i.test(text))) {
    return { kind: 'barEgress', ...EGRESS_BAR, code };
  }
  if (REFUSED.has(code)) return { kind: 'refresh', reason: 'token-refused', code };
  if (EXPIRED.has(code)) return { kind: 'refresh', reason: 'token-expired', code };
  if (NEEDS_OWNER.has(code)) return { kind: 'invalidate', reason: 'needs-owner', code };
  if (code === 7 || code === 27 || code === 28) return { kind: 'barMethods', methods, ...METHOD_BAR, code };
  if (code === 15 && /no access to call this method/i.test(text))
    return { kind: 'barMethods', methods, ...METHOD_BAR, code };
  if (NOT_THE_KEY.has(code)) return { kind: 'count', what: 'network-error', code };
  return undefined;
}

/** 25 calls of one method that fail alike are one statement about the key. */
function withoutRepeats(effects: Effect[]): Effect[] {
  const seen = new Set<string>();
  return effects.filter((effect) => {
    const text = JSON.stringify(effect);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
