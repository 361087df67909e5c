import { connectArango } from '@sociograph/arango';
import { DomainError, SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { runMain } from '@sociograph/service-host';
import { migrationConfig } from './config';
import { ArangoJobStore } from './infrastructure/arango-job-store';
import type { RebuildOutcome } from './projections/jobs';

const LOOK_MS = 100;
/** Ten turns of the writer's look; a replay that is under way may take longer. */
const BEGUN_WITHIN_MS = 60_000;

/** `projector:rebuild`: asks the writer for a rebuild through the store, and waits for it. */
runMain(async () => {
  const config = migrationConfig();
  const clock = new SystemClock();
  const db = connectArango({
    url: config.ARANGO_URL,
    database: config.ARANGO_DATABASE,
    username: config.ARANGO_USERNAME,
    password: config.ARANGO_PASSWORD,
  });
  try {
    const jobs = new ArangoJobStore(db);
    const id = new TimeOrderedIds().next();
    const asked = clock.monotonicMs();
    await jobs.create({ id, kind: 'rebuild', state: 'waiting', requestedAt: clock.nowMs() });
    say('The rebuild is asked for; reads go on meanwhile.');
    let state = 'waiting';
    for (;;) {
      const job = await jobs.find(id);
      if (job === undefined) throw new Error('The job is gone from the store.');
      if (job.state === 'done' && job.rebuild !== undefined) return report(job.rebuild);
      if (job.state === 'failed')
        throw new Error(
          `The rebuild failed: ${job.fault}. Before the swap nothing has changed; behind it the new state is live, ` +
            'and rows may still be those of the old one until the next rebuild or start of a writer.',
        );
      if (job.state !== state) say('The writer builds the next version beside the live one.');
      state = job.state;
      if (state === 'waiting' && clock.monotonicMs() - asked > BEGUN_WITHIN_MS) {
        const fault = noWriter();
        await jobs.put({ ...job, state: 'failed', fault: fault.code, finishedAt: clock.nowMs() });
        throw fault;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    db.close();
  }
});

function noWriter(): DomainError {
  return new DomainError({
    code: 'VIEWS.NO_WRITER',
    kind: 'unavailable',
    message: 'No writer took it within a minute: does a read-model-projector run?',
  });
}

function report({ graphs, users, friendships, records, hashes, differing, ...times }: RebuildOutcome): void {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  say(
    `${records} records of graph.changes gave ${graphs} graphs, ${users} people, ${friendships} friendships.`,
  );
  for (const [partition, hash] of hashes.entries())
    say(
      `  partition ${partition}  ${hash}  ${differing.includes(partition) ? 'DIFFERS from the live one' : 'equal'}`,
    );
  say(
    differing.length === 0
      ? 'The state that was live until now hashed to the same in every partition.'
      : `What was live until now was another state in ${differing.length} partitions: it was replaced.`,
  );
  say(`Swapped after ${seconds(times.swappedMs)} s, all rows written after ${seconds(times.tookMs)} s.`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
