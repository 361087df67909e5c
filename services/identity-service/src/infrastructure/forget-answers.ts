import type { Postgres } from '@sociograph/postgres';

/** As the worker: a repeat of a request of the day before is a new request, so that its answer serves nobody. */
export async function forgetAnswers(worker: Postgres): Promise<void> {
  await worker.query("DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'");
}
