import { Secret, SystemClock } from '@sociograph/kernel';
import { createLogger } from '@sociograph/observability';
import { Suppressions } from '@sociograph/suppression';
import type { Kafka } from 'kafkajs';
import { KafkaChangeLog } from './kafka-change-log';

describe('KafkaChangeLog', () => {
  const setUp = () => {
    let know: () => void = () => undefined;
    const caughtUp = new Promise<void>((resolve) => (know = resolve));
    const asked: string[] = [];
    const kafka = {
      admin: () => {
        asked.push('admin');
        throw new Error('Nobody answers.');
      },
    } as unknown as Kafka;
    const log = new KafkaChangeLog({
      kafka,
      reader: 'spec',
      logger: createLogger({ service: 'spec', instance: 'spec', level: 'silent' }),
      clock: new SystemClock(),
      known: {
        suppressions: new Suppressions(new Secret(Buffer.alloc(32, 3).toString('base64'))),
        caughtUp,
        dropped: () => undefined,
      },
      fail: () => undefined,
    });
    return { log, know, asked };
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('begins to read when all erased people are known, and does not look stuck until then', async () => {
    const { log, know, asked } = setUp();
    const following = await log.follow(
      () => undefined,
      () => undefined,
    );
    await turn();
    expect(asked).toEqual([]);
    know();
    await turn();
    expect(asked).toEqual(['admin']);
    await following.stop();
  });

  it('reads nothing any more when it was stopped before', async () => {
    const { log, know, asked } = setUp();
    const following = await log.follow(
      () => undefined,
      () => undefined,
    );
    await following.stop();
    know();
    await turn();
    expect(asked).toEqual([]);
  });
});
