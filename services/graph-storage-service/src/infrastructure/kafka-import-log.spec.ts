import { friendListObserved, TOPICS, userObserved } from '@sociograph/contracts';
import type { EventBatch, replayTopic } from '@sociograph/messaging';
import type { Kafka } from 'kafkajs';
import { KafkaImportLog } from './kafka-import-log';

const IMPORT = '01930f0e-7b1c-7000-8000-000000000001';
const OTHER = '01930f0e-7b1c-7000-8000-000000000002';
const OF = { workspaceId: 'w', network: 'vk', importId: IMPORT };

interface Look {
  userId: string;
  importId?: string;
  workspaceId?: string;
  network?: string;
}

function record(message: object, { userId, importId = IMPORT, workspaceId = 'w', network = 'vk' }: Look) {
  return { message, value: { workspaceId, network, userId, source: { importId } } };
}

/** Logs of two topics; notes from where they are read. */
class Logs {
  users: Look[] = [];
  lists: Look[] = [];
  readonly read: unknown[] = [];
  readonly asked: unknown[] = [];
  open = 0;
  away = false;

  readonly kafka = {
    admin: () => ({
      connect: async () => void this.open++,
      disconnect: async () => void this.open--,
      fetchTopicOffsetsByTimestamp: async (topic: string, ms: number) => {
        if (this.away) throw new Error('away');
        this.asked.push([topic, ms]);
        return [
          { partition: 0, offset: '7' },
          { partition: 1, offset: '-1' },
        ];
      },
    }),
  } as unknown as Kafka;

  readonly replay = (async ({ topic, from, to, reader, onBatch }: Parameters<typeof replayTopic>[0]) => {
    const { name } = topic as { name: string };
    this.read.push([name, from, to, reader]);
    const [message, looks] =
      name === TOPICS.users.name ? [userObserved, this.users] : [friendListObserved, this.lists];
    await onBatch({ records: looks.map((look) => record(message, look)) } as unknown as EventBatch);
    return {};
  }) as typeof replayTopic;
}

describe('what an import saw', () => {
  const look = (logs: Logs, importId = IMPORT, signal = new AbortController().signal) =>
    new KafkaImportLog({ kafka: logs.kafka, reader: 'spec', replay: logs.replay }).sightings(
      { ...OF, importId },
      signal,
    );

  it('is found in the logs of profiles and lists, and nothing of another import, workspace or network', async () => {
    const logs = new Logs();
    const strangers = [
      { userId: '9', importId: OTHER },
      { userId: '9', workspaceId: 'v' },
      { userId: '9', network: 'ok' },
    ];
    logs.users = [{ userId: '1' }, { userId: '2' }, { userId: '1' }, ...strangers];
    logs.lists = [{ userId: '3' }, ...strangers];
    expect(await look(logs)).toEqual({ people: new Set(['1', '2']), lists: new Set(['3']) });
  });

  it('is looked for from a minute before the time in its id to the ends of the logs', async () => {
    const logs = new Logs();
    await look(logs);
    const begin = 0x01930f0e7b1c - 60_000;
    expect(logs.asked).toEqual([
      [TOPICS.users.name, begin],
      [TOPICS.friendLists.name, begin],
    ]);
    expect(logs.read).toEqual([
      [TOPICS.users.name, { [TOPICS.users.name]: { '0': 7 } }, 'end', 'spec'],
      [TOPICS.friendLists.name, { [TOPICS.friendLists.name]: { '0': 7 } }, 'end', 'spec'],
    ]);
    expect(logs.open).toBe(0);
  });

  it('is looked for from the beginning when the id has no time in it', async () => {
    const logs = new Logs();
    await look(logs, '01930f0e-7b1c-4000-8000-000000000001');
    expect(logs.asked).toEqual([]);
    expect(logs.read.map((read) => (read as unknown[])[1])).toEqual(['earliest', 'earliest']);
  });

  it('is asked for again later when the log is away', async () => {
    const logs = new Logs();
    logs.away = true;
    await expect(look(logs)).rejects.toMatchObject({ code: 'KAFKA.UNAVAILABLE', kind: 'unavailable' });
    expect(logs.open).toBe(0);
  });

  it('is not looked for any further once nobody wants it', async () => {
    const logs = new Logs();
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(look(logs, IMPORT, stop.signal)).rejects.toThrow('enough');
    expect(logs.read).toEqual([]);
  });
});
