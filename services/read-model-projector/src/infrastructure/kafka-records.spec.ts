import { inputMarked, TOPICS, vertexChanged, viewApplied } from '@sociograph/contracts';
import type { EventRecord } from '@sociograph/messaging';
import type { AppliedMark } from '../projections/ports';
import { KafkaAppliedWatch } from './kafka-applied-watch';
import { changeOf } from './kafka-change-log';

const LISTS = TOPICS.friendLists.name;

describe('changeOf', () => {
  const record = (part: Partial<EventRecord>): EventRecord => ({
    topic: TOPICS.graphChanges.name,
    partition: 3,
    offset: 12,
    key: 'demo:vk:user:107',
    message: vertexChanged,
    value: vertexChanged.example,
    id: '1',
    source: 'graph-storage-service',
    timestampMs: 0,
    subject: undefined,
    correlationId: undefined,
    headers: {},
    ...part,
  });

  it('gives a vertex with the input positions that are done with it', () => {
    const source = { [LISTS]: { '3': 17 } };
    expect(changeOf(record({ headers: { source: JSON.stringify(source) } }))).toEqual({
      partition: 3,
      offset: 12,
      source,
      change: vertexChanged.example,
    });
  });

  it('names the trace of a change where it is kept', () => {
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    expect(changeOf(record({ headers: { traceparent: trace } }))).toMatchObject({ trace });
    const unkept = changeOf(record({ headers: { traceparent: trace.replace(/01$/, '00') } }));
    expect(unkept).not.toHaveProperty('trace');
  });

  it('gives only positions for a marker', () => {
    const marker = { message: inputMarked, value: { partition: 3 }, key: 'marker:3' };
    expect(changeOf(record({ ...marker, headers: { source: '{}' } }))).toEqual({
      partition: 3,
      offset: 12,
      source: {},
    });
    expect(changeOf(record({ ...marker, value: null }))).toEqual({ partition: 3, offset: 12 });
  });

  it('gives the key of a tombstone, with and without a type', () => {
    const erased = { partition: 3, offset: 12, erased: 'demo:vk:user:107' };
    expect(changeOf(record({ value: null }))).toEqual(erased);
    expect(changeOf(record({ value: null, message: undefined }))).toEqual(erased);
  });
});

describe('KafkaAppliedWatch', () => {
  const mark = (offset: number, fence = 1, view = 'graph_summary'): AppliedMark => ({
    ...viewApplied.example,
    view,
    appliedUpTo: { [LISTS]: { '3': offset } },
    at: offset * 10,
    fence,
  });

  it('keeps the highest positions of each view', () => {
    const watch = new KafkaAppliedWatch();
    watch.note(mark(5));
    watch.note(mark(4));
    watch.note({ ...mark(9), appliedUpTo: { [LISTS]: { '1': 2 } } });
    expect(watch.reached('graph_summary')).toEqual({ positions: { [LISTS]: { '1': 2, '3': 5 } }, at: 90 });
    expect(watch.reached('user_profile_read')).toEqual({ positions: {}, at: 0 });
  });

  it('ignores what a superseded writer says', () => {
    const watch = new KafkaAppliedWatch();
    watch.note(mark(5, 2));
    watch.note(mark(8, 1));
    expect(watch.reached('graph_summary').positions).toEqual({ [LISTS]: { '3': 5 } });
    watch.note(mark(6, 2));
    expect(watch.reached('graph_summary').positions).toEqual({ [LISTS]: { '3': 6 } });
  });

  it('does not say the highest fence before it knows all that was announced', () => {
    const watch = new KafkaAppliedWatch();
    watch.note(mark(5, 2));
    expect(watch.highestFence()).toBeUndefined();
  });

  it('wakes a reader when the view covers the position, and no sooner', async () => {
    const watch = new KafkaAppliedWatch();
    const woken: string[] = [];
    const waiting = watch
      .waitFor('graph_summary', { [LISTS]: { '3': 5 } }, 5000)
      .then((reached) => woken.push(`${reached}`));
    watch.note(mark(4));
    watch.note(mark(5, 1, 'user_profile_read'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toEqual([]);
    watch.note(mark(5));
    await waiting;
    expect(woken).toEqual(['true']);
    expect(await watch.waitFor('graph_summary', { [LISTS]: { '3': 5 } }, 5000)).toBe(true);
  });

  it('gives up after the time allowed', async () => {
    const watch = new KafkaAppliedWatch();
    expect(await watch.waitFor('graph_summary', { [LISTS]: { '3': 5 } }, 5)).toBe(false);
  });
});
