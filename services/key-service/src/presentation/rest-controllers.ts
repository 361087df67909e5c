import { BulkKeysController } from './bulk-keys.controller';
import { KeyHistoryController } from './key-history.controller';
import { KeyPoolController } from './key-pool.controller';
import { KeysController } from './keys.controller';
import { PoolController } from './pool.controller';

/** The REST edge. */
export const REST_CONTROLLERS = [
  BulkKeysController,
  KeysController,
  KeyHistoryController,
  KeyPoolController,
  PoolController,
];
