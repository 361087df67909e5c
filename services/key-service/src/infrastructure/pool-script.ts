import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The parts of the pool's one script, in the order in which they make one text: each may use what stands before it.
 * One script, because choosing a key and charging its windows must be one atomic step.
 */
export const POOL_PARTS = [
  'memory',
  'learning',
  'windows',
  'refusals',
  'limits',
  'outcomes',
  'choice',
  'grant',
  'settle',
  'keys',
  'run',
] as const;

/** The text that Redis executes. */
export const POOL_LUA = POOL_PARTS.map((part) =>
  readFileSync(join(__dirname, 'pool-script', `${part}.lua`), 'utf8'),
).join('\n');
