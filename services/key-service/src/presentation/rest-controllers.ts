import { BulkKeysController } from './bulk-keys.controller';
import { KeyHistoryController } from './key-history.controller';
import { KeysController } from './keys.controller';

/** The REST edge; the bulk route stands before `/v1/keys/{id}`. */
export const REST_CONTROLLERS = [BulkKeysController, KeysController, KeyHistoryController];
