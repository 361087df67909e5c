/**
 * Every exchange and queue of RabbitMQ. infra/rabbitmq/definitions.json is generated from this; services only
 * check that a queue exists, they never declare one of these.
 */
export const VHOST = 'sociograph';

export const EXCHANGES = {
  /** Direct; routing key = queue. */
  tasks: 'sociograph.tasks',
  /** Direct; routing key = the work queue that gave the message up. */
  dead: 'sociograph.dead',
  /** Fanout: a key changed its state; one exclusive queue per worker process. */
  keyState: 'sociograph.keys.state',
} as const;

/** Waits of the retry ladder, in the order in which a task climbs it. One TTL per queue, never per message. */
export const RETRY_LADDER = [
  { suffix: 'retry.5s', delayMs: 5_000 },
  { suffix: 'retry.30s', delayMs: 30_000 },
  { suffix: 'retry.5m', delayMs: 300_000 },
] as const;

/** A process killed this often with a message in hand; above it the broker gives the message up by itself. */
export const DELIVERY_LIMIT = 100;

/** Networks that have task queues. */
export const TASK_NETWORKS = ['vk', 'file'] as const;

/**
 * Work queue of one network's packed calls. Graphs of one kind share a queue: what stands before the first dash of
 * their names is that kind (`file-club` is a graph of `file`).
 */
export function callQueue(network: string): string {
  return `sociograph.calls.${network.split('-', 1)[0]}`;
}

/** Lease RPC: a classic queue, because requests are worthless once their deadline is over. */
export const LEASE_QUEUE = 'sociograph.leases';

export function retryQueue(queue: string, suffix: string): string {
  return `${queue}.${suffix}`;
}

export function deadQueue(queue: string): string {
  return `${queue}.dead`;
}

export interface QueueDefinition {
  name: string;
  durable: boolean;
  arguments: Record<string, string | number>;
}

export interface BindingDefinition {
  exchange: string;
  queue: string;
  routingKey: string;
}

export interface Topology {
  exchanges: { name: string; type: 'direct' | 'fanout' }[];
  queues: QueueDefinition[];
  bindings: BindingDefinition[];
}

/** A work queue with its ladder and its dead queue. `ladder` is a parameter so that specs can use short waits. */
export function taskQueueTopology(
  queue: string,
  ladder: readonly { suffix: string; delayMs: number }[] = RETRY_LADDER,
): Pick<Topology, 'queues' | 'bindings'> {
  const work: QueueDefinition = {
    name: queue,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-delivery-limit': DELIVERY_LIMIT,
      'x-dead-letter-exchange': EXCHANGES.dead,
      'x-dead-letter-routing-key': queue,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  };
  const retries = ladder.map(({ suffix, delayMs }) => ({
    name: retryQueue(queue, suffix),
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-message-ttl': delayMs,
      'x-dead-letter-exchange': EXCHANGES.tasks,
      'x-dead-letter-routing-key': queue,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  }));
  const dead: QueueDefinition = {
    name: deadQueue(queue),
    durable: true,
    arguments: { 'x-queue-type': 'quorum' },
  };
  return {
    queues: [work, ...retries, dead],
    bindings: [
      { exchange: EXCHANGES.tasks, queue, routingKey: queue },
      ...retries.map((retry) => ({ exchange: EXCHANGES.tasks, queue: retry.name, routingKey: retry.name })),
      { exchange: EXCHANGES.dead, queue: dead.name, routingKey: queue },
    ],
  };
}

/** The whole topology of the vhost. */
export function rabbitTopology(): Topology {
  const tasks = TASK_NETWORKS.map((network) => taskQueueTopology(callQueue(network)));
  return {
    exchanges: [
      { name: EXCHANGES.tasks, type: 'direct' },
      { name: EXCHANGES.dead, type: 'direct' },
      { name: EXCHANGES.keyState, type: 'fanout' },
    ],
    queues: [
      ...tasks.flatMap((task) => task.queues),
      { name: LEASE_QUEUE, durable: true, arguments: { 'x-queue-type': 'classic' } },
    ],
    bindings: tasks.flatMap((task) => task.bindings),
  };
}
