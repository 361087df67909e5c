import { bodies } from './cases/bodies';
import { configurations } from './cases/configurations';
import { errors } from './cases/errors';
import { headers } from './cases/headers';
import { limits } from './cases/limits';
import { origins } from './cases/origins';
import { paths } from './cases/paths';
import { streams } from './cases/streams';
import { targets } from './cases/targets';
import { tokens } from './cases/tokens';
import type { ConformanceCase } from './run-case';

/** What Kong 3.9.3 was seen to do, as far as our plugins and routes are concerned: request and answer. */
export const cases: readonly ConformanceCase[] = [
  ...tokens,
  ...paths,
  ...bodies,
  ...headers,
  ...limits,
  ...origins,
  ...errors,
  ...targets,
  ...streams,
  ...configurations,
];
