import { Secret } from '@sociograph/kernel';
import type { EventRecord, TailOptions } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { Suppressions } from '@sociograph/suppression';
import { fakeClock } from '@sociograph/testing';
import type { Kafka } from 'kafkajs';
import type { ChangeRecord } from '../projections/ports';
import { KafkaChangeLog } from './kafka-change-log';

const mockTails: TailOptions[] = [];
jest.mock('@sociograph/messaging', () => ({
  ...jest.requireActual<object>('@sociograph/messaging'),
  kafkaAnswers: async () => true,
  tailTopic: (options: TailOptions) => {
    mockTails.push(options);
    return { caughtUp: new Promise(() => undefined), stop: async () => undefined };
  },
}));

describe('KafkaChangeLog', () => {
  beforeEach(() => {
    mockTails.length = 0;
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
  });

  afterEach(() => jest.useRealTimers());

  const setUp = async () => {
    let know: () => void = () => undefined;
    const caughtUp = new Promise<void>((resolve) => (know = resolve));
    const suppressions = new Suppressions(new Secret(Buffer.alloc(32, 3).toString('base64')));
    const clock = fakeClock();
    const fail = jest.fn();
    const log = new KafkaChangeLog({
      kafka: {} as Kafka,
      reader: 'spec',
      logger: createLogger({ service: 'spec', instance: 'spec', level: 'silent' }),
      clock,
      known: { suppressions, caughtUp, dropped: () => undefined },
      fail,
      onLag: () => undefined,
    });
    const taken: ChangeRecord[] = [];
    const following = await log.follow(
      (record) => void taken.push(record),
      () => undefined,
    );
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const pass = async (ms: number): Promise<void> => {
      clock.advance(ms);
      jest.advanceTimersByTime(500);
      await turn();
    };
    return { know, fail, taken, following, turn, pass };
  };
  const tombstone = (offset: number): EventRecord =>
    ({ partition: 0, offset, key: 'demo:vk:user:1', value: null, headers: {} }) as unknown as EventRecord;

  it('begins to read when all erased people are known, and does not look stuck until then', async () => {
    const { know, fail, turn, pass, following } = await setUp();
    await pass(60_000);
    expect([mockTails.length, fail.mock.calls.length]).toEqual([0, 0]);
    know();
    await turn();
    await pass(9_999);
    expect([mockTails.length, fail.mock.calls.length]).toEqual([1, 0]);
    await following.stop();
  });

  it('reads nothing any more when it was stopped before', async () => {
    const { know, turn, following } = await setUp();
    await following.stop();
    know();
    await turn();
    expect(mockTails).toEqual([]);
  });

  it('is not stuck while it applies what one fetch brought, and is when nothing moves any more', async () => {
    const { know, fail, taken, turn, pass, following } = await setUp();
    know();
    await turn();
    for (let offset = 0; offset < 20; offset++) {
      await mockTails[0]!.onRecord(tombstone(offset));
      await pass(1_000);
    }
    expect([taken.length, fail.mock.calls.length]).toEqual([20, 0]);
    await pass(9_999);
    expect(fail).toHaveBeenCalledTimes(1);
    await following.stop();
  });
});
