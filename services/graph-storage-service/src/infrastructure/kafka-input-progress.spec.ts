import { eventually, fakeClock } from '@sociograph/testing';
import type { Kafka } from 'kafkajs';
import { KafkaInputProgress } from './kafka-input-progress';

const GROUP = { name: 'graph-storage', topics: [{ name: 'users' }, { name: 'lists' }] };

/** A broker that knows offsets of one group and ends of logs. */
class Broker {
  committed: Record<string, Record<number, number>> = { users: { 0: -1, 1: 3 }, lists: { 0: 2 } };
  ends: Record<string, number> = { users: 5, lists: 5 };
  away = false;
  looks = 0;
  connected = 0;

  readonly kafka = {
    admin: () => ({
      connect: async () => {
        if (this.away) throw new Error('away');
        this.connected++;
      },
      disconnect: async () => void this.connected--,
      fetchOffsets: async ({ groupId, topics }: { groupId: string; topics: string[] }) => {
        this.looks++;
        if (this.away) throw new Error('away');
        expect(groupId).toBe('graph-storage');
        return topics.map((topic) => ({
          topic,
          partitions: Object.entries(this.committed[topic] ?? {}).map(([partition, offset]) => ({
            partition: Number(partition),
            offset: String(offset),
          })),
        }));
      },
      fetchTopicOffsets: async (topic: string) => {
        if (this.away) throw new Error('away');
        return [0, 1].map((partition) => ({ partition, high: String(this.ends[topic] ?? 0), low: '0' }));
      },
    }),
  } as unknown as Kafka;
}

describe('progress of the input', () => {
  const open: KafkaInputProgress[] = [];
  const follow = (broker: Broker, times: { idleMs?: number; busyMs?: number } = {}) => {
    const clock = fakeClock(1_000);
    const progress = new KafkaInputProgress({ kafka: broker.kafka, clock, group: GROUP, ...times });
    open.push(progress);
    progress.start();
    return { progress, clock };
  };
  afterEach(async () => {
    for (const progress of open.splice(0)) await progress.stop();
  });

  it('is what the group has committed; a partition without an offset is not told', async () => {
    const broker = new Broker();
    const { progress } = follow(broker);
    expect(progress.reached()).toEqual({ positions: {}, at: 0 });
    await eventually(() =>
      expect(progress.reached()).toEqual({ positions: { users: { '1': 3 }, lists: { '0': 2 } }, at: 1_000 }),
    );
  });

  it('wakes a reader when its position is committed, and looks at once when one comes', async () => {
    const broker = new Broker();
    const { progress } = follow(broker, { idleMs: 3_600_000, busyMs: 1 });
    await eventually(() => expect(progress.reached().at).toBe(1_000));
    expect(await progress.waitFor({ users: { '1': 3 } }, 0)).toBe(true);
    const waiting = progress.waitFor({ users: { '1': 4 } }, 60_000);
    const looks = broker.looks;
    await eventually(() => expect(broker.looks).toBeGreaterThan(looks + 1));
    broker.committed['users'] = { 1: 4 };
    expect(await waiting).toBe(true);
    expect(await progress.waitFor({ users: { '1': 5 } }, 1)).toBe(false);
  });

  it('never goes back when offsets are set back', async () => {
    const broker = new Broker();
    const { progress, clock } = follow(broker, { idleMs: 1 });
    await eventually(() => expect(progress.reached().at).toBe(1_000));
    broker.committed['users'] = { 1: 1 };
    clock.advance(5);
    await eventually(() => expect(progress.reached().at).toBe(1_005));
    expect(progress.reached().positions['users']).toEqual({ '1': 3 });
  });

  it('tells what is beyond the end of a log', async () => {
    const { progress } = follow(new Broker());
    expect(await progress.beyond({ users: { '1': 5 } })).toBe(false);
    expect(await progress.beyond({ users: { '1': 6 } })).toBe(true);
    expect(await progress.beyond({ users: { '7': 1 } })).toBe(true);
    expect(await progress.beyond({})).toBe(false);
  });

  it('goes on with a new connection when the log was away', async () => {
    const broker = new Broker();
    broker.away = true;
    const { progress } = follow(broker, { idleMs: 1 });
    await expect(progress.beyond({ users: { '1': 1 } })).rejects.toMatchObject({
      code: 'KAFKA.UNAVAILABLE',
      kind: 'unavailable',
    });
    broker.away = false;
    await eventually(() => expect(progress.reached().positions['lists']).toEqual({ '0': 2 }));
  });

  it('lets nobody wait when it stops, and leaves no connection', async () => {
    const broker = new Broker();
    const { progress } = follow(broker);
    await eventually(() => expect(broker.connected).toBe(1));
    const waiting = progress.waitFor({ users: { '1': 9 } }, 60_000);
    await progress.stop();
    expect(await waiting).toBe(false);
    expect(await progress.waitFor({ users: { '1': 9 } }, 60_000)).toBe(false);
    expect(broker.connected).toBe(0);
  });
});
