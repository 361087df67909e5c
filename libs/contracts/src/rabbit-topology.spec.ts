import { callQueue, rabbitTopology, taskQueueTopology } from './rabbit-topology';

describe('RabbitMQ topology', () => {
  it('gives a task queue its ladder and its dead queue', () => {
    const { queues, bindings } = taskQueueTopology('work', [{ suffix: 'retry.1s', delayMs: 1000 }]);
    expect(queues.map((queue) => queue.name)).toEqual(['work', 'work.retry.1s', 'work.dead']);
    expect(queues[0]?.arguments).toMatchObject({
      'x-queue-type': 'quorum',
      'x-delivery-limit': 100,
      'x-dead-letter-exchange': 'sociograph.dead',
      'x-dead-letter-routing-key': 'work',
    });
    expect(queues[1]?.arguments).toMatchObject({
      'x-message-ttl': 1000,
      'x-dead-letter-exchange': 'sociograph.tasks',
      'x-dead-letter-routing-key': 'work',
    });
    expect(bindings).toEqual([
      { exchange: 'sociograph.tasks', queue: 'work', routingKey: 'work' },
      { exchange: 'sociograph.tasks', queue: 'work.retry.1s', routingKey: 'work.retry.1s' },
      { exchange: 'sociograph.dead', queue: 'work.dead', routingKey: 'work' },
    ]);
  });

  it('climbs 5 s, 30 s, 5 min and binds only queues that exist', () => {
    const { queues, bindings } = rabbitTopology();
    const waits = queues.map((queue) => queue.arguments['x-message-ttl']).filter((ttl) => ttl !== undefined);
    expect(waits).toEqual([5_000, 30_000, 300_000, 5_000, 30_000, 300_000]);
    const names = new Set(queues.map((queue) => queue.name));
    expect(bindings.filter((binding) => !names.has(binding.queue))).toEqual([]);
  });

  it('has one queue for all graphs that come from files', () => {
    expect(['vk', 'file', 'file-club-2'].map(callQueue)).toEqual([
      'sociograph.calls.vk',
      'sociograph.calls.file',
      'sociograph.calls.file',
    ]);
  });
});
