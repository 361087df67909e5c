import { POOL_LUA } from '../infrastructure/pool-script';

/** The script's one look at a clock. */
export const TIME_LINE = "local t = redis.call('TIME')";

/** The very text of the pool, its clock given by the last two arguments. Nothing else may differ: a spec checks it. */
export const SIMULATED_LUA = POOL_LUA.replace(TIME_LINE, 'local t = { ARGV[#ARGV - 1], ARGV[#ARGV] }');
