import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What every operation starts from: clock, memory, path, windows, accounts and rests. */
const CORE = ['memory', 'path', 'windows', 'accounts', 'rests'];

/** What only some operations need, in the order in which each may use what stands before it. */
const GRANT = ['limits', 'standing', 'choice', 'grant'];
const SETTLE = ['trials', 'learning', 'charges', 'refusals', 'giving-back', 'outcomes', 'settle'];
const CHORES = [
  ...['trials', 'learning', 'limits', 'standing', 'choice'],
  ...['explain', 'booking', 'rest-chores', 'keys'],
];

/**
 * The text that Redis executes. One script, because choosing a key and charging its windows must be one atomic step, and
 * because one SHA tells whether Redis still has it. Redis makes all functions of a text anew with each call, which took
 * a quarter of a grant's time (45 us): so each operation reaches only the parts that it needs. A part that two
 * operations need stands in the text twice.
 */
export const POOL_LUA = [
  ...CORE.map(part),
  "if ARGV[1] == 'grant' then",
  ...GRANT.map(part),
  "elseif ARGV[1] == 'settle' then",
  ...SETTLE.map(part),
  'else',
  ...CHORES.map(part),
  'end',
  'return ops[ARGV[1]]()',
].join('\n');

/** Each part once: a piece of one of them stands in the text as often as operations need its part. */
export const POOL_PARTS = [...new Set([...CORE, ...GRANT, ...SETTLE, ...CHORES])].map(part);

function part(name: string): string {
  return readFileSync(join(__dirname, 'pool-script', `${name}.lua`), 'utf8');
}
