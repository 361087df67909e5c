import { DeadCallsController } from './dead-calls.controller';
import { ImportLifeController } from './import-life.controller';
import { ImportsController } from './imports.controller';
import { UploadsController } from './uploads.controller';

/** Everything that is answered over HTTP; the walk over the OpenAPI document has a row for each of their routes. */
export const REST_CONTROLLERS = [
  ImportsController,
  ImportLifeController,
  UploadsController,
  DeadCallsController,
] as const;
