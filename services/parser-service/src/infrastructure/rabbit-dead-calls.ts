import { callQueue, callRequested, TASK_NETWORKS } from '@sociograph/contracts';
import { DeadQueue, type DeadTask } from '@sociograph/messaging';
import type { Postgres } from '@sociograph/postgres';
import { type DeadCall, DeadCalls } from '../domain/ports';

/** The dead queues of all networks. Redrives of all processes come one after the other: each hides messages from others. */
export class RabbitDeadCalls extends DeadCalls {
  private readonly queues: readonly DeadQueue[];
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    url: string,
    private readonly worker: Postgres,
  ) {
    super();
    this.queues = TASK_NETWORKS.map((network) => new DeadQueue({ url, queue: callQueue(network) }));
  }

  async list(limit: number): Promise<DeadCall[]> {
    return this.alone(async () => {
      const found: DeadCall[] = [];
      for (const queue of this.queues)
        found.push(...(await queue.list(limit - found.length)).map(deadCallOf));
      return found;
    });
  }

  async redrive(
    ids: readonly string[] | 'all',
    prepare: (call: DeadCall) => Promise<boolean>,
  ): Promise<number> {
    return this.alone(async () => {
      let redriven = 0;
      for (const queue of this.queues)
        redriven += await queue.redrive(ids, (task) => prepare(deadCallOf(task)));
      return redriven;
    });
  }

  /** Within this process they wait here: each that waited in the database would keep a connection of the dispatcher's. */
  private alone<R>(work: () => Promise<R>): Promise<R> {
    const turn = this.last.then(() =>
      this.worker.tx(async (q) => {
        await q.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 9))', ['dead calls']);
        return work();
      }),
    );
    this.last = turn.catch(() => undefined);
    return turn;
  }
}

function deadCallOf({ id, queue, code, reason, attempts, content }: DeadTask): DeadCall {
  return { id, queue, code, reason, attempts, task: taskOf(content) };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function taskOf(content: Buffer): DeadCall['task'] {
  try {
    const parsed = callRequested.schema.safeParse(JSON.parse(content.toString('utf8')));
    if (!parsed.success) return undefined;
    const { callId, importId, workspaceId } = parsed.data;
    if (!UUID.test(callId) || !UUID.test(importId)) return undefined;
    return { callId, importId, workspaceId };
  } catch {
    return undefined; // No JSON at all: it is shown by its reason, and can only be sent back as it is.
  }
}
