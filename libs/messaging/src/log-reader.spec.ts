import type { Kafka } from 'kafkajs';
import { LogReader } from './log-reader';

type Listener = (event: { payload: Record<string, unknown> }) => void;

const EVENTS = {
  GROUP_JOIN: 'join',
  START_BATCH_PROCESS: 'batch',
  FETCH_START: 'fetch-start',
  FETCH: 'fetch',
  REQUEST: 'request',
  CRASH: 'crash',
};

/** Two partitions, each led by a broker of its own; fetches bring nothing. */
class QuietCluster {
  /** Leader by partition; -1 for one that has none. */
  leaders = [0, 1];
  /** Partitions that say where they end; none at all when undefined. */
  ends: number[] | undefined = [0, 1];
  asked = 0;
  /** Ends when the question is to be answered. */
  held: Promise<void> = Promise.resolve();
  /** What consumers were told, in that order. */
  readonly told: string[] = [];
  /** Called when a consumer was told something, before it answers. */
  onTold: (what: string) => void = () => undefined;
  private readonly listeners = new Map<string, Listener>();

  private readonly noted = (what: string) => async (): Promise<void> => {
    this.told.push(what);
    this.onTold(what);
  };

  readonly kafka = {
    consumer: () => ({
      events: EVENTS,
      on: (name: string, listener: Listener) => this.listeners.set(name, listener),
      connect: this.noted('connect'),
      subscribe: this.noted('subscribe'),
      run: this.noted('run'),
      seek: () => undefined,
      stop: this.noted('stop'),
      disconnect: this.noted('disconnect'),
    }),
    admin: () => ({
      connect: async () => undefined,
      disconnect: async () => undefined,
      fetchTopicOffsets: async () => {
        this.asked += 1;
        await this.held;
        if (this.ends === undefined) throw new Error('There is no leader for this topic-partition');
        return this.ends.map((partition) => ({ partition, low: '0', high: '9' }));
      },
      fetchTopicMetadata: async () => ({
        topics: [{ partitions: this.leaders.map((leader, partitionId) => ({ partitionId, leader })) }],
      }),
    }),
  } as unknown as Kafka;

  /** Four fetches of both brokers begin, so that three are over; those `answering` got an answer to each. */
  async fetches(answering: readonly number[]): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      for (const nodeId of [0, 1]) this.emit('fetch-start', { nodeId });
      if (turn === 3) break;
      for (const broker of answering)
        this.emit('request', { apiName: 'Fetch', broker: `kafka-${broker}:9092` });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  emit(name: string, payload: Record<string, unknown> = {}): void {
    this.listeners.get(name)?.({ payload });
  }
}

describe('LogReader', () => {
  const setUp = async (cluster = new QuietCluster()) => {
    const said = jest.fn();
    const reader = new LogReader({
      kafka: cluster.kafka,
      topic: 't',
      reader: 'spec',
      onRecords: async () => undefined,
      onRefused: () => undefined,
      onLost: () => undefined,
      onQuiet: said,
    });
    await reader.start(
      new Map([
        [0, 0],
        [1, 0],
      ]),
    );
    return { cluster, said, reader };
  };

  it('says once that it is at the end when every leader answered its fetches with nothing', async () => {
    const { cluster, said } = await setUp();
    await cluster.fetches([0, 1]);
    expect([said.mock.calls.length, cluster.asked]).toEqual([1, 1]);
    await cluster.fetches([0, 1]);
    expect([said.mock.calls.length, cluster.asked]).toEqual([1, 1]);
  });

  it('takes nothing for the end while the ends cannot be asked, and counts anew from then on', async () => {
    const { cluster, said } = await setUp();
    cluster.ends = undefined;
    await cluster.fetches([0, 1]);
    await cluster.fetches([0, 1]);
    expect([said.mock.calls.length, cluster.asked]).toEqual([0, 2]);
    cluster.ends = [0, 1];
    cluster.emit('fetch-start', { nodeId: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.asked).toBe(2);
    await cluster.fetches([0, 1]);
    expect(said).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['a partition has no leader', { leaders: [0, -1], ends: [0, 1] }],
    ['a partition does not say where it ends', { leaders: [0, 1], ends: [0] }],
  ])('takes nothing for the end while %s', async (_, state) => {
    const { cluster, said } = await setUp();
    Object.assign(cluster, state);
    await cluster.fetches([0, 1]);
    expect([said.mock.calls.length, cluster.asked]).toEqual([0, 1]);
  });

  it('takes no fetch for empty that a leader did not answer', async () => {
    const { cluster, said } = await setUp();
    await cluster.fetches([0]);
    expect([said.mock.calls.length, cluster.asked]).toEqual([0, 1]);
    await cluster.fetches([0, 1]);
    expect(said).toHaveBeenCalledTimes(1);
  });

  it.each(['join', 'batch'])(
    'is not at the end when a %s comes while the cluster is asked',
    async (event) => {
      const { cluster, said } = await setUp();
      let answer: () => void = () => undefined;
      cluster.held = new Promise((resolve) => (answer = resolve));
      await cluster.fetches([0, 1]);
      expect(cluster.asked).toBe(1);
      cluster.emit(event);
      answer();
      await new Promise((resolve) => setImmediate(resolve));
      expect(said).not.toHaveBeenCalled();
      await cluster.fetches([0, 1]);
      expect(said).toHaveBeenCalledTimes(1);
    },
  );

  it.each([
    ['connect', ['connect']],
    ['subscribe', ['connect', 'subscribe']],
    ['run', ['connect', 'subscribe', 'run']],
  ])('reads for nobody when it is stopped during its %s', async (during, begun) => {
    const cluster = new QuietCluster();
    const reader = new LogReader({
      ...{ kafka: cluster.kafka, topic: 't', reader: 'spec' },
      ...{ onRecords: async () => undefined, onRefused: () => undefined, onLost: () => undefined },
    });
    let stopped: Promise<void> | undefined;
    cluster.onTold = (what) => {
      if (what === during) stopped = reader.stop();
    };
    await reader.start(new Map([[0, 0]]));
    await stopped;
    const ends = ['stop', 'disconnect'];
    expect(cluster.told.filter((what) => !ends.includes(what))).toEqual(begun);
    // Once by the stop, which came too early, and once by what it interrupted.
    expect(cluster.told.filter((what) => what === 'disconnect')).toHaveLength(2);
  });

  it('says nothing after its stop', async () => {
    const { cluster, said, reader } = await setUp();
    await reader.stop();
    await cluster.fetches([0, 1]);
    expect([said.mock.calls.length, cluster.asked]).toEqual([0, 0]);
  });
});
