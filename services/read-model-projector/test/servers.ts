import { randomUUID } from 'node:crypto';
import { connectArango } from '@sociograph/arango';
import { contractServer } from '@sociograph/arango-embedded';
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

export interface OwnStore {
  db: Database;
  stop(): Promise<void>;
}

/** A database of the spec's own: in the stand-in in test mode, or at the ArangoDB that `npm run test:arango` names. */
export async function ownStore(): Promise<OwnStore> {
  const server = await contractServer({ seed: 7, conflictRate: 0.01 });
  const db = connectArango(server);
  return {
    db,
    async stop() {
      db.close();
      await server.stop();
    },
  };
}

/** A name that no other spec uses. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 13)}`;
}
