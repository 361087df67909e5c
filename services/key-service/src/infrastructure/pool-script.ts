import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** In the order in which each may use what stands before it. */
const PARTS = [
  ...['memory', 'path', 'windows', 'accounts', 'rests'],
  ...['limits', 'standing', 'choice', 'grant'],
  ...['trials', 'learning', 'charges', 'refusals', 'giving-back', 'outcomes', 'settle'],
  ...['explain', 'booking', 'rest-chores', 'keys', 'call'],
].map((name) => readFileSync(join(__dirname, 'pool-script', `${name}.lua`), 'utf8'));

/**
 * The text that Redis executes: one function, because choosing a key and charging its windows must be one atomic step.
 * Redis runs the text once, when it is loaded, and only `call` with each call (ADR 11).
 */
export const POOL_LUA = PARTS.join('\n');

/** A library of Redis, and its one function, that is named after its text: versions stand beside one another. */
export interface PoolLibrary {
  name: string;
  text: string;
}

export function libraryOf(lua: string): PoolLibrary {
  const name = `pool_${createHash('sha1').update(lua).digest('hex').slice(0, 16)}`;
  return { name, text: `#!lua name=${name}\n${lua}\nredis.register_function('${name}', call)\n` };
}
