import { createLogger } from '@sociograph/observability';
import type { Kafka } from 'kafkajs';
import { tailTopic } from './tail';

describe('tailTopic', () => {
  it('reads nothing when it is stopped before it knows where the log ends', async () => {
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    const consumer = jest.fn();
    const kafka = {
      consumer,
      admin: () => ({
        connect: async () => undefined,
        disconnect: async () => undefined,
        fetchTopicOffsets: async () => {
          await held;
          return [{ partition: 0, low: '0', high: '9' }];
        },
      }),
    } as unknown as Kafka;
    const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
    const onRecord = jest.fn();
    const tail = tailTopic({ kafka, topic: 't', fromBeginning: true, logger, onRecord });
    const stopped = tail.stop();
    answer();
    await stopped;
    expect(consumer).not.toHaveBeenCalled();
  });
});
