import { seededFraction } from './content/seeded-hash';
import { faultAnswer } from './fault-answers';
import type { FaultAnswer } from './fault-answers';

/** Which requests a scripted fault is for, and how often. Everything left out means "any" and "always". */
export interface FaultScript {
  key?: string;
  method?: string;
  answer: string;
  /** Only the n-th request that it is for, counted from its planting. */
  nth?: number;
  /** Every n-th of them. */
  every?: number;
  /** This part of them, 0..1, drawn from the seed. */
  share?: number;
  /** At most so often. */
  times?: number;
  /** Seconds on the simulator's clock. */
  for?: number;
}

interface Rule {
  id: number;
  script: FaultScript;
  answer: FaultAnswer;
  until: number;
  seen: number;
  hit: number;
}

export interface Fault {
  answer: FaultAnswer;
  /** Takes the fault away: its captcha was passed. */
  lift(): void;
}

/**
 * Faults planted by key (all requests of it, until taken away), and scripted ones by key, method and count. They meet
 * requests that the per-second limit let through. Where several scripted ones fit, the first planted one answers.
 */
export class Faults {
  private readonly planted = new Map<string, FaultAnswer>();
  private rules: Rule[] = [];
  private made = 0;

  constructor(private readonly seed: number) {}

  /** `none` takes the key's fault away. */
  plant(keyName: string, text: string): void {
    const answer = faultAnswer(text);
    if (answer === undefined) this.planted.delete(keyName);
    else this.planted.set(keyName, answer);
  }

  /** Gives the id by which the fault can be taken away. */
  script(script: FaultScript, now: number): number {
    const answer = faultAnswer(script.answer);
    if (answer === undefined) throw new Error('answer must be a fault.');
    const until = script.for === undefined ? Number.POSITIVE_INFINITY : now + script.for * 1000;
    this.made += 1;
    this.rules.push({ id: this.made, script, answer, until, seen: 0, hit: 0 });
    return this.made;
  }

  /** What a request meets; undefined when nothing. */
  ofRequest(key: string, method: string, at: number): Fault | undefined {
    const planted = this.planted.get(key);
    if (planted !== undefined) return { answer: planted, lift: () => this.planted.delete(key) };
    return this.rules.length === 0 ? undefined : this.ruled(key, method, at, () => true);
  }

  /** What a call inside `execute` meets: errors planted for its method by name. */
  ofInnerCall(key: string, method: string, at: number): Fault | undefined {
    if (this.rules.length === 0) return undefined;
    return this.ruled(key, method, at, (rule) => {
      return rule.answer.kind === 'error' && rule.script.method === method;
    });
  }

  /** False when there is none of this id. */
  remove(id: number): boolean {
    const before = this.rules.length;
    this.rules = this.rules.filter((rule) => rule.id !== id);
    return this.rules.length < before;
  }

  list(): object {
    return {
      planted: Object.fromEntries([...this.planted].map(([key, { kind }]) => [key, kind])),
      scripted: this.rules.map(({ id, script, seen, hit }) => ({ id, ...script, seen, hit })),
    };
  }

  reset(): void {
    this.planted.clear();
    this.rules = [];
  }

  private ruled(key: string, method: string, at: number, fits: (rule: Rule) => boolean): Fault | undefined {
    for (const rule of this.rules) {
      const { script } = rule;
      if (script.key !== undefined && script.key !== key) continue;
      if (script.method !== undefined && script.method !== method) continue;
      if (at >= rule.until || !fits(rule)) continue;
      rule.seen += 1;
      if (!this.isDue(rule)) continue;
      rule.hit += 1;
      return { answer: rule.answer, lift: () => this.remove(rule.id) };
    }
    return undefined;
  }

  private isDue({ id, script, seen, hit }: Rule): boolean {
    if (script.times !== undefined && hit >= script.times) return false;
    if (script.nth !== undefined && seen !== script.nth) return false;
    if (script.every !== undefined && seen % script.every !== 0) return false;
    return script.share === undefined || seededFraction(this.seed, `fault ${id}`, seen) < script.share;
  }
}

const NUMBERS = ['nth', 'every', 'share', 'times', 'for'] as const;
const WORDS = ['key', 'method', 'answer', ...NUMBERS] as readonly string[];

/** A script from the words of a query or of a line in the faults file. Throws one sentence per fault. */
export function readFaultScript(words: Readonly<Record<string, unknown>>): FaultScript {
  const unknown = Object.keys(words).find((name) => !WORDS.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} means nothing here; known are ${WORDS.join(', ')}.`);
  const script: FaultScript = { answer: String(words['answer'] ?? '') };
  for (const name of ['key', 'method'] as const) {
    if (words[name] !== undefined && words[name] !== '*') script[name] = String(words[name]);
  }
  for (const name of NUMBERS) {
    if (words[name] === undefined) continue;
    const value = Number(words[name]);
    const whole = name === 'share' || name === 'for' || Number.isInteger(value);
    if (!(value > 0) || !whole || (name === 'share' && value > 1)) {
      throw new Error(`${name} must be ${name === 'share' ? 'a part, above 0 to 1' : 'a number above 0'}.`);
    }
    script[name] = value;
  }
  return script;
}
