import type { PostgresOptions } from '@sociograph/postgres';

/**
 * Of the worker's connections, whose statements look up rows by their keys. An import makes 100,000 items of none within
 * seconds, long before PostgreSQL counts them: what it plans for an empty table must be right for a full one. So no plan
 * may read a table from end to end where an index will do, be it for itself or to hash or merge it, and none is compiled
 * because it looks costly.
 */
export const LASTING_PLANS: Pick<PostgresOptions, 'prepare' | 'settings'> = {
  prepare: true,
  settings: {
    enable_seqscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    random_page_cost: '1.1',
    jit: 'off',
  },
};
