import { BUSINESS } from './definitions/business';
import { CAPACITY } from './definitions/capacity';
import { FLEET } from './definitions/fleet';
import { GATEWAY } from './definitions/gateway';
import { GRAPH_AND_VIEWS } from './definitions/graph-and-views';
import { IMPORTS } from './definitions/imports';
import { KEY_POOL } from './definitions/key-pool';
import { MESSAGING } from './definitions/messaging';
import { SERVICE_BOARDS } from './definitions/services';
import type { Board } from './panel';

/** In the order in which they link to each other. */
export const BOARDS: readonly Board[] = [
  FLEET,
  KEY_POOL,
  IMPORTS,
  GRAPH_AND_VIEWS,
  MESSAGING,
  GATEWAY,
  CAPACITY,
  BUSINESS,
  ...SERVICE_BOARDS,
];
