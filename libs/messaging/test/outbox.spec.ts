import { callRequested, importChanged, type MessageDefinition } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import {
  currentTraceparent,
  inSpan,
  runWithCorrelation,
  startTracing,
  type Tracing,
} from '@sociograph/observability';
import { Postgres } from '@sociograph/postgres';
import { eventually, sequentialIds } from '@sociograph/testing';
import { Outbox, OutboxRelay, outboxTableSql, type OutgoingEvent, type OutgoingTask } from '../src';
import { logger, specDatabase, type SpecDatabase } from './servers';

jest.setTimeout(60_000);

const call = callRequested.example;
const change = importChanged.example;

/** Destinations that note what they get and can be away. */
class FakeBrokers {
  readonly tasks: OutgoingTask[] = [];
  readonly events: OutgoingEvent[] = [];
  away = false;

  readonly rabbit = {
    publish: async <M extends MessageDefinition>(task: OutgoingTask<M>): Promise<string> => {
      this.#insist();
      this.tasks.push(task);
      return task.messageId ?? '';
    },
  };
  readonly kafka = {
    publish: async (events: readonly OutgoingEvent[]) => {
      this.#insist();
      this.events.push(...events);
      return {};
    },
  };

  #insist(): void {
    if (this.away) throw new DomainError({ code: 'SPEC.AWAY', kind: 'unavailable', message: 'away' });
  }
}

describe('Outbox', () => {
  let database: SpecDatabase;
  let tracing: Tracing;
  const relays: OutboxRelay[] = [];

  beforeAll(async () => {
    tracing = startTracing({ service: 'spec', instance: '0', sampleRatio: 1 });
    database = await specDatabase(outboxTableSql);
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await database.postgres.query('DELETE FROM outbox');
  });
  afterAll(async () => {
    await database.drop();
    await tracing.shutdown();
  });

  function aRelay(
    brokers: FakeBrokers,
    postgres: Postgres = database.postgres,
    batchSize = 200,
  ): OutboxRelay {
    const { rabbit, kafka } = brokers;
    const relay = new OutboxRelay({ postgres, rabbit, kafka, logger, batchSize, pollMs: 60_000 });
    relays.push(relay);
    return relay;
  }

  async function left(): Promise<number> {
    const { rows } = await database.postgres.query<{ n: number }>('SELECT count(*) AS n FROM outbox');
    return rows[0]?.n ?? -1;
  }

  it('relays every kind with ids, keys, trace and correlation of the work that added it', async () => {
    const brokers = new FakeBrokers();
    let traceparent: string | undefined;
    await inSpan('spec', {}, async () => {
      traceparent = currentTraceparent();
      await runWithCorrelation('import-7', () =>
        database.postgres.tx((q) =>
          Outbox.add(
            q,
            [
              Outbox.task('sociograph.calls.vk', callRequested, call),
              { ...Outbox.event(importChanged, 'import-7', change), subject: 'import/7' },
              { ...Outbox.task('sociograph.calls.vk', callRequested, call), messageId: 'given' },
            ],
            sequentialIds('message'),
          ),
        ),
      );
    });
    const relay = aRelay(brokers);
    expect(await relay.relayOnce('task')).toBe(2);
    expect(await relay.relayOnce('event')).toBe(1);
    expect(await relay.relayOnce('task')).toBe(0);
    expect(await left()).toBe(0);
    const headers = { traceparent, 'x-correlation-id': 'import-7' };
    expect(brokers.tasks).toEqual([
      { queue: 'sociograph.calls.vk', message: callRequested, value: call, messageId: 'message-1', headers },
      { queue: 'sociograph.calls.vk', message: callRequested, value: call, messageId: 'given', headers },
    ]);
    expect(brokers.events).toEqual([
      {
        message: importChanged,
        topic: 'sociograph.imports.v1',
        key: 'import-7',
        value: change,
        id: 'message-2',
        subject: 'import/7',
        headers: { traceparent, ce_correlationid: 'import-7' },
      },
    ]);
  });

  it('announces nothing of a transaction that was rolled back, and adds nothing for no rows', async () => {
    const undone = database.postgres.tx(async (q) => {
      await Outbox.add(q, [Outbox.task('q', callRequested, call)]);
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    await Outbox.add(database.postgres, []);
    expect(await left()).toBe(0);
  });

  it('refuses a row that could never be relayed', async () => {
    const bad = { ...Outbox.task('q', callRequested, call), value: { ...call, network: '' } };
    await expect(Outbox.add(database.postgres, [bad])).rejects.toMatchObject({
      code: 'OUTBOX.INVALID',
      kind: 'bug',
      facts: { message: 'sociograph.parser.call-requested', path: 'network' },
    });
    await expect(
      Outbox.add(database.postgres, [{ kind: 'event', message: callRequested, key: 'k', value: call }]),
    ).rejects.toMatchObject({ code: 'OUTBOX.INVALID', facts: { path: 'belongs to no topic' } });
    expect(await left()).toBe(0);
  });

  it('keeps the order of ids over many batches, also with two relays at it', async () => {
    const brokers = new FakeBrokers();
    const values = Array.from({ length: 95 }, (_, n) => Outbox.event(importChanged, `import-${n}`, change));
    for (let from = 0; from < values.length; from += 10) {
      await database.postgres.tx((q) => Outbox.add(q, values.slice(from, from + 10)));
    }
    const second = new Postgres({ url: database.url, max: 4, logger });
    aRelay(brokers, database.postgres, 7).start();
    const other = aRelay(brokers, second, 7);
    other.start();
    await eventually(() => brokers.events.length >= 95);
    expect(brokers.events.map(({ key }) => key)).toEqual(values.map(({ key }) => key));
    await eventually(async () => (await left()) === 0);
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await second.end();
  });

  it('wakes at once when rows are committed', async () => {
    const brokers = new FakeBrokers();
    aRelay(brokers).start();
    await Outbox.add(database.postgres, [Outbox.task('q', callRequested, call)]);
    await eventually(() => brokers.tasks.length === 1, { timeoutMs: 5_000 });
    const startedAt = performance.now();
    await database.postgres.tx((q) => Outbox.add(q, [Outbox.task('q', callRequested, call)]));
    await eventually(() => brokers.tasks.length === 2, { timeoutMs: 5_000, everyMs: 2 });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('loses nothing while the broker is away, and sends again what a crash left unconfirmed', async () => {
    const brokers = new FakeBrokers();
    brokers.away = true;
    await Outbox.add(database.postgres, [
      Outbox.task('q', callRequested, call),
      Outbox.task('q', callRequested, { ...call, callId: 'second' }),
    ]);
    const relay = aRelay(brokers);
    await expect(relay.relayOnce('task')).rejects.toMatchObject({ code: 'SPEC.AWAY' });
    expect(await left()).toBe(2);
    relay.start();
    brokers.away = false;
    await eventually(() => brokers.tasks.length === 2);
    await eventually(async () => (await left()) === 0);
    expect(brokers.tasks.map(({ value }) => (value as typeof call).callId)).toEqual([call.callId, 'second']);

    // A crash after the broker's confirm and before the commit: the transaction is undone, the rows stay.
    const crashing = {
      ...brokers,
      rabbit: {
        publish: async (task: OutgoingTask): Promise<string> => {
          brokers.tasks.push(task);
          throw new Error('crash');
        },
      },
    };
    await relay.stop();
    relays.length = 0;
    await Outbox.add(database.postgres, [{ ...Outbox.task('q', callRequested, call), messageId: 'same' }]);
    const doomed = new OutboxRelay({ postgres: database.postgres, rabbit: crashing.rabbit, logger });
    await expect(doomed.relayOnce('task')).rejects.toThrow('crash');
    expect(await aRelay(brokers).relayOnce('task')).toBe(1);
    expect(brokers.tasks.slice(2).map(({ messageId }) => messageId)).toEqual(['same', 'same']);
  });

  it('lets a destination that is away hold up its own kind only', async () => {
    const brokers = new FakeBrokers();
    await Outbox.add(database.postgres, [
      Outbox.task('q', callRequested, call),
      Outbox.event(importChanged, 'k', change),
    ]);
    const away = { publish: () => Promise.reject(new Error('away')) };
    const relay = new OutboxRelay({
      postgres: database.postgres,
      rabbit: away,
      kafka: brokers.kafka,
      logger,
    });
    relays.push(relay);
    relay.start();
    await eventually(() => brokers.events.length === 1);
    expect(await left()).toBeGreaterThanOrEqual(1);
  });

  it('leaves a row of an undeclared type where it is and names it', async () => {
    await Outbox.add(database.postgres, [Outbox.task('q', callRequested, call)]);
    await database.postgres.query("UPDATE outbox SET message_type = 'nobody.v1'");
    await expect(aRelay(new FakeBrokers()).relayOnce('task')).rejects.toMatchObject({
      code: 'OUTBOX.TYPE_UNKNOWN',
      kind: 'bug',
      facts: { type: 'nobody.v1' },
    });
    expect(await left()).toBe(1);
  });
});
