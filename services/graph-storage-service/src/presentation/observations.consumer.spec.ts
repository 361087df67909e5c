import { friendListObserved, userObserved } from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import type { EventBatch } from '@sociograph/messaging';
import { createLogger, Metrics } from '@sociograph/observability';
import { markOf, Suppressions } from '@sociograph/suppression';
import type { ApplyObservations, ObservationBatch } from '../application/apply-observations';
import { ErasedPeople } from './erased-people';
import { TracesOfChanges } from '../traces-of-changes';
import { ObservationsConsumer } from './observations.consumer';
import { Turnstile } from './turnstile';

const KEY = new Secret(Buffer.alloc(32, 9).toString('base64'));

describe('ObservationsConsumer', () => {
  it('leaves out who was erased while the batch waited for its turn', async () => {
    const suppressions = new Suppressions(KEY);
    const followed = {
      suppressions,
      caughtUp: Promise.resolve(),
      reached: () => 0,
      dropped: () => undefined,
      stop: async () => undefined,
    };
    const turnstile = new Turnstile(1);
    const stored: ObservationBatch[] = [];
    const traces = new TracesOfChanges();
    const apply = { executeTogether: async (batches: ObservationBatch[]) => void stored.push(...batches) };
    const consumer = new ObservationsConsumer(
      apply as unknown as ApplyObservations,
      turnstile,
      new ErasedPeople(followed),
      traces,
      createLogger({ service: 'spec', instance: '0', level: 'silent' }),
      new Metrics({ service: 'spec', instance: '0' }),
    );
    const record = (message: typeof userObserved | typeof friendListObserved, changes: object) =>
      ({ message, key: 'k', trace: 'span', headers: {}, value: { ...message.example, ...changes } }) as never;
    const batch = {
      partition: 3,
      records: [
        record(userObserved, { userId: '7' }),
        record(friendListObserved, { userId: '8', friendIds: ['7', '9'] }),
      ],
      positions: { t: { '3': 5 } },
      heartbeat: async () => undefined,
    } as unknown as EventBatch;

    let finish!: () => void;
    const before = turnstile.pass(() => new Promise<void>((resolve) => (finish = resolve)), batch.heartbeat);
    const waiting = consumer.onBatch(batch);
    // The batch has read what it knows of erased people, if it does so before its turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(traces.of(3, 'k')).toBe('span');
    suppressions.add({
      workspaceId: 'demo',
      network: 'vk',
      mark: markOf(KEY, 'demo', 'vk', '7'),
      erasureId: 'e',
      at: 1,
    });
    finish();
    await Promise.all([before, waiting]);
    expect(traces.of(3, 'k')).toBe('');

    expect(stored).toMatchObject([{ partition: 3, positions: { t: { '3': 5 } } }]);
    expect(stored[0]?.people.map(({ ref, seen }) => [ref.id, seen.lists.map(({ ids }) => ids)])).toEqual([
      ['8', [['9']]],
    ]);
  });
});
