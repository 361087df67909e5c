import { randomUUID } from 'node:crypto';
import { connectArango } from '@sociograph/arango';
import { createLogger } from '@sociograph/observability';
import type { Database } from 'arangojs';

/** A variable of the test stack, as this service's own account has it. */
export function server(name: string): string {
  const value = process.env[`READ_MODEL_PROJECTOR_${name}`];
  if (value !== undefined) return value;
  throw new Error(
    `READ_MODEL_PROJECTOR_${name} is not set: start the servers by "npm run up -- --stack test --servers-only"`,
  );
}

export const silent = createLogger({ service: 'read-model-projector', instance: 'spec', level: 'silent' });

/** The database of the views, by this service's own account. Whoever connects closes it. */
export function connectViews(): Database {
  return connectArango({
    url: server('ARANGO_URL'),
    database: server('ARANGO_DATABASE'),
    username: server('ARANGO_USERNAME'),
    password: server('ARANGO_PASSWORD'),
  });
}

/** A name that no other spec uses. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 13)}`;
}
