import { userObserved } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import { createLogger } from '@sociograph/observability';
import type { KafkaMessage } from 'kafkajs';
import { BatchProcessor, type BatchPart, type BatchTurn, type EventBatch } from './batch-processor';
import type { ParsedRecord, RejectedRecord } from './event-record';
import { DeadLetters } from './kafka-dead-letters';

const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
const raw = { offset: '0' } as KafkaMessage;

class FakeDeadLetters extends DeadLetters {
  readonly letters: RejectedRecord[] = [];
  failures = 0;
  async add(rejected: readonly RejectedRecord[]): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('no producer');
    }
    this.letters.push(...rejected);
  }
  async close(): Promise<void> {}
}

function event(topic: string, offset: number, key = `${topic}${offset}`): ParsedRecord {
  return {
    kind: 'event',
    topic,
    offset,
    raw,
    record: {
      topic,
      partition: 2,
      offset,
      key,
      message: userObserved,
      value: {},
      id: undefined,
      source: undefined,
      timestampMs: 0,
      subject: undefined,
      correlationId: undefined,
      headers: {},
    },
  };
}

function reject(topic: string, offset: number): ParsedRecord {
  const rejected = { topic, partition: 2, offset, key: 'bad', code: 'EVENT.NOT_JSON', reason: 'no', raw };
  return { kind: 'rejected', topic, offset, rejected };
}

const part = (...items: ParsedRecord[]): BatchPart => ({ partition: 2, items, end: {} });
const unavailable = (): DomainError =>
  new DomainError({ code: 'S.AWAY', kind: 'unavailable', message: 'away' });

describe('BatchProcessor', () => {
  let deadLetters: FakeDeadLetters;
  let batches: EventBatch[];
  let abort: AbortController;
  let turn: BatchTurn;
  let tries: number;

  beforeEach(() => {
    jest.useFakeTimers();
    deadLetters = new FakeDeadLetters();
    batches = [];
    abort = new AbortController();
    turn = { heartbeat: async () => undefined, signal: abort.signal };
    tries = 0;
  });
  afterEach(() => jest.useRealTimers());

  function processor(handle: (batch: EventBatch) => void): BatchProcessor {
    return new BatchProcessor({
      deadLetters,
      logger,
      onTry: () => (tries += 1),
      handle: async (batch) => {
        batches.push(batch);
        handle(batch);
      },
    });
  }

  const keysOf = (batch: EventBatch): string[] => batch.records.map(({ key }) => key);

  it('hands over the records with the positions after them, and those of the fetch where they lie further', async () => {
    const items = [event('a', 4), event('a', 5), event('b', 9)];
    const end = { a: { '2': 8 }, b: { '2': 10 } };
    expect(await processor(() => undefined).process({ partition: 2, items, end }, turn)).toBe(true);
    expect(batches).toHaveLength(1);
    expect(batches[0]).toMatchObject({
      partition: 2,
      positions: { a: { '2': 8 }, b: { '2': 10 } },
      deadLettered: [],
    });
    expect(batches[0]?.heartbeat).toBe(turn.heartbeat);
    expect(keysOf(batches[0] as EventBatch)).toEqual(['a4', 'a5', 'b9']);
    expect(tries).toBe(1);
  });

  it('writes rejects away before the handler sees them, once, and counts them as passed', async () => {
    const handled = processor(() => expect(deadLetters.letters).toHaveLength(1));
    expect(await handled.process(part(event('a', 0), reject('a', 1)), turn)).toBe(true);
    expect(batches[0]?.positions).toEqual({ a: { '2': 2 } });
    expect(batches[0]?.deadLettered.map(({ offset }) => offset)).toEqual([1]);
    expect(deadLetters.letters.map(({ offset }) => offset)).toEqual([1]);
  });

  it('calls the handler without records when all were rejected', async () => {
    await processor(() => undefined).process(part(reject('a', 1)), turn);
    expect(batches.map(({ records, positions }) => [records, positions])).toEqual([[[], { a: { '2': 2 } }]]);
  });

  it('tries the whole batch again while a server is away, with growing waits', async () => {
    const times: number[] = [];
    const done = processor(() => {
      times.push(Date.now());
      if (times.length < 4) throw unavailable();
    }).process(part(event('a', 0), event('a', 1)), turn);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await done).toBe(true);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits).toEqual([100, 200, 400]);
    expect(batches.map((batch) => batch.records.length)).toEqual([2, 2, 2, 2]);
    expect(tries).toBe(4);
    expect(deadLetters.letters).toEqual([]);
  });

  it('halves a failing batch until the record to blame is alone, keeps the order and the positions', async () => {
    const items = [event('a', 0), event('a', 1), event('a', 2, 'poison'), event('a', 3), event('b', 0)];
    const end = { a: { '2': 4 }, b: { '2': 7 } };
    const done = await processor((batch) => {
      if (keysOf(batch).includes('poison')) throw new TypeError('cannot digest');
    }).process({ partition: 2, items, end }, turn);
    expect(done).toBe(true);
    expect(
      batches.map((batch) => [keysOf(batch), batch.positions, batch.deadLettered.map(({ key }) => key)]),
    ).toEqual([
      [['a0', 'a1', 'poison', 'a3', 'b0'], end, []],
      [['a0', 'a1'], { a: { '2': 2 } }, []],
      [['poison', 'a3', 'b0'], end, []],
      [['poison'], { a: { '2': 3 } }, []],
      [[], { a: { '2': 3 } }, ['poison']],
      [['a3', 'b0'], end, []],
    ]);
    expect(deadLetters.letters).toEqual([
      {
        topic: 'a',
        partition: 2,
        offset: 2,
        key: 'poison',
        code: 'UNEXPECTED',
        reason: 'cannot digest',
        raw,
      },
    ]);
  });

  it('dead-letters every record that fails, and only those', async () => {
    const items = Array.from({ length: 7 }, (_, offset) => event('a', offset));
    await processor((batch) => {
      if (batch.records.some(({ offset }) => offset % 3 === 0)) {
        throw new DomainError({ code: 'S.BAD', kind: 'unprocessable', message: 'bad' });
      }
    }).process(part(...items), turn);
    expect(deadLetters.letters.map(({ offset, code }) => [offset, code])).toEqual([
      [0, 'S.BAD'],
      [3, 'S.BAD'],
      [6, 'S.BAD'],
    ]);
  });

  it('blames no record when the handler fails without any: it tries again', async () => {
    let failures = 2;
    const done = processor(() => {
      if (failures > 0) {
        failures -= 1;
        throw new TypeError('x');
      }
    }).process(part(reject('a', 0)), turn);
    await jest.advanceTimersByTimeAsync(300);
    expect(await done).toBe(true);
    expect(batches).toHaveLength(3);
    expect(deadLetters.letters).toHaveLength(1);
  });

  it('goes no further before dead letters are stored', async () => {
    deadLetters.failures = 2;
    const done = processor(() => undefined).process(part(reject('a', 0)), turn);
    await jest.advanceTimersByTimeAsync(299);
    expect(batches).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(await done).toBe(true);
    expect(batches).toHaveLength(1);
  });

  it('stops when the partition is taken away: before the handler, while it waits, and between the halves', async () => {
    abort.abort();
    expect(await processor(() => undefined).process(part(event('a', 0)), turn)).toBe(false);
    expect(await processor(() => undefined).process(part(reject('a', 0)), turn)).toBe(false);
    expect(batches).toEqual([]);
    expect(deadLetters.letters).toEqual([]);

    abort = new AbortController();
    turn = { ...turn, signal: abort.signal };
    const waiting = processor(() => {
      throw unavailable();
    }).process(part(event('a', 0)), turn);
    await jest.advanceTimersByTimeAsync(150);
    abort.abort();
    expect(await waiting).toBe(false);
    expect(batches).toHaveLength(2);

    abort = new AbortController();
    turn = { ...turn, signal: abort.signal };
    const failing = processor(() => {
      abort.abort();
      throw new TypeError('x');
    });
    expect(await failing.process(part(event('a', 0)), turn)).toBe(false);
    expect(deadLetters.letters).toEqual([]);
  });

  it('finishes a call that was under way when the process began to end', async () => {
    const done = processor(() => abort.abort()).process(part(event('a', 0)), turn);
    expect(await done).toBe(true);
  });
});
