import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { TOPICS } from '@sociograph/contracts';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { eventually } from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { Kafka } from 'kafkajs';
import { ArangoCheckpointStore } from '../src/infrastructure/arango-checkpoint-store';
import { COLLECTIONS } from '../src/infrastructure/arango-view-store';
import { KafkaLogEnds } from '../src/infrastructure/kafka-log-ends';
import { withoutConflict } from '../src/infrastructure/store-requests';
import { VIEW_MIGRATIONS } from '../src/infrastructure/view-migrations';
import { Checkpoints } from '../src/projections/checkpoints';
import { Views } from '../src/projections/views';
import { server, unique } from './servers';

const CHANGES = TOPICS.graphChanges.name;
/** A writer that was killed keeps the lock for 3 s. */
const LOCK_MS = 5_000;

export interface OwnViews {
  /** What a projector on these views is started with. */
  env: Readonly<Record<string, string>>;
  /** The degree that a row says, whatever the memory of its writer does. */
  degreeInStore(key: string): Promise<unknown>;
  /** Changes a row behind the projector's back. */
  changeProfile(key: string, change: object): Promise<void>;
  drop(): Promise<void>;
}

/**
 * A database with empty views and a checkpoint at the present end of graph.changes: a projector begins there, so that
 * its start takes the same time whatever other runs left in the log and in the views of the stack.
 */
export async function ownViews(kafka: Kafka): Promise<OwnViews> {
  const account = { username: admin('ARANGO_USERNAME'), password: admin('ARANGO_PASSWORD') };
  const connect = (database: string) => connectArango({ url: server('ARANGO_URL'), database, ...account });
  const name = unique('own').replaceAll('-', '_');
  const system = connect('_system');
  await system.createDatabase(name);
  const db = connect(name);
  await new ArangoMigrations(db, 'read-model-projector', VIEW_MIGRATIONS).run();
  const ends = new KafkaLogEnds(kafka);
  const reached = [...(await ends.boundsOf(CHANGES))].map(([partition, { high }]) => ({
    partition,
    positions: { [CHANGES]: { [String(partition)]: high } },
  }));
  await ends.close();
  const checkpoints = new Checkpoints(new ArangoCheckpointStore(db), new SystemClock(), new TimeOrderedIds());
  await checkpoints.save({ graphs: [], hashes: new Views(1).hashes(), reached });
  db.close();
  return {
    env: {
      ARANGO_DATABASE: name,
      ARANGO_USERNAME: account.username,
      ARANGO_PASSWORD: account.password,
    },
    async degreeInStore(key) {
      const own = connect(name);
      const row = (await own.collection(COLLECTIONS.profiles).document(key)) as { degree?: unknown };
      own.close();
      return row.degree;
    },
    async changeProfile(key, change) {
      const own = connect(name);
      // The stand-in plays conflicts in test mode, one request in a hundred.
      await withoutConflict('change a profile', () =>
        own.collection(COLLECTIONS.profiles).update(key, change),
      );
      own.close();
    },
    async drop() {
      await system.dropDatabase(name);
      system.close();
    },
  };
}

/** A fleet on the same servers has its writer, and there is one at a time: said at once instead of waited for. */
export async function noOtherWriter(): Promise<void> {
  const redis = new Redis(server('REDIS_POOL_URL'));
  try {
    await eventually(async () => (await redis.exists('projector:writer')) === 0, { timeoutMs: LOCK_MS });
  } catch (cause) {
    const remedy = 'end the fleet first: npm run down -- --fleet-only --stack test';
    throw new Error(`a projector on these servers holds the lock of the writer; ${remedy}`, { cause });
  } finally {
    redis.disconnect();
  }
}

function admin(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start the test stack first`);
  return value;
}
