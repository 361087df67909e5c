import { randomUUID } from 'node:crypto';
import { createLogger } from '@sociograph/observability';

/** A variable of the test stack, as this service's own account has it. */
export function server(name: string): string {
  const value = process.env[`READ_MODEL_PROJECTOR_${name}`];
  if (value !== undefined) return value;
  throw new Error(
    `READ_MODEL_PROJECTOR_${name} is not set: start the servers by "npm run up -- --stack test --servers-only"`,
  );
}

export const silent = createLogger({ service: 'read-model-projector', instance: 'spec', level: 'silent' });

/** A name that no other spec uses. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 13)}`;
}
