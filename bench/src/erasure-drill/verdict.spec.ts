import type { Trace } from './person-scan';
import { type ErasureFigures, HOLDING, HOLDING_TOPICS, type Look, missesOf, rowsOf } from './verdict';

const NOTHING: Look = { traces: [], unread: [], files: 9, bytes: 9 };
const trace = (more: Partial<Trace>): Trace => ({
  ...{ kind: 'logs', place: 'logs/a.log', at: 7, what: 'id', encoding: 'raw' },
  ...more,
});
const before: Look = {
  ...NOTHING,
  traces: [
    ...HOLDING.map((kind) => trace({ kind })),
    ...HOLDING_TOPICS.map((topic) =>
      trace({ kind: 'topic segments', place: `data/kafka/log/${topic}0/1.log` }),
    ),
    trace({ what: 'first name' }),
    trace({ what: 'last name' }),
  ],
};
const figures: ErasureFigures = { before, afterComplete: NOTHING, again: NOTHING, completeMs: 1, faults: [] };
const without = (gone: (trace: Trace) => boolean): ErasureFigures => ({
  ...figures,
  before: { ...before, traces: before.traces.filter((one) => !gone(one)) },
});

describe('the verdict of drill:erasure', () => {
  it('is good when the person was everywhere before and nowhere afterwards', () => {
    expect(missesOf(figures)).toEqual([]);
  });

  it.each(HOLDING.filter((kind) => kind !== 'topic segments'))(
    'is bad when %s showed nothing before',
    (kind) => {
      expect(missesOf(without((one) => one.kind === kind))).toEqual([
        `before the erasure nothing was found in ${kind}: the look cannot be trusted`,
      ]);
    },
  );

  it('is bad when a topic, or a name, was not found before', () => {
    const topic = 'sociograph.graph.changes.v1-';
    expect(missesOf(without(({ place }) => place.includes(topic)))).toEqual([
      'before the erasure nothing was found in sociograph.graph.changes.v1',
    ]);
    expect(missesOf(without(({ what }) => what === 'last name'))).toEqual([
      'before the erasure no last name was found anywhere',
    ]);
  });

  it('names file, offset and encoding of what is found afterwards, and never the thing itself', () => {
    const found = { ...NOTHING, traces: [trace({ encoding: 'hex' })] };
    expect(missesOf({ ...figures, afterComplete: found })).toEqual([
      'after `complete`: id (hex) in logs/a.log at 7',
    ]);
    expect(missesOf({ ...figures, again: found })).toEqual([
      'after rebuild, redrive and a new import: id (hex) in logs/a.log at 7',
    ]);
  });

  it('shows the first of many, and how many more', () => {
    const traces = Array.from({ length: 13 }, (_, at) => trace({ at }));
    const misses = missesOf({ ...figures, again: { ...NOTHING, traces } });
    expect(misses).toHaveLength(13);
    expect(misses.at(-1)).toBe('after rebuild, redrive and a new import: 1 more');
  });

  it('is bad when something could not be read, or the fleet answers wrongly', () => {
    expect(
      missesOf({ ...figures, again: { ...NOTHING, unread: ['x: closed'] }, faults: ['a person is there'] }),
    ).toEqual(['a person is there', 'x: closed']);
  });

  it('counts places, not traces', () => {
    const traces = [trace({}), trace({ what: 'first name' }), trace({ place: 'logs/b.log' })];
    const row = rowsOf({ ...figures, before: { ...NOTHING, traces } }).find(({ kind }) => kind === 'logs');
    expect(row).toEqual({ kind: 'logs', before: 2, afterComplete: 0, again: 0 });
  });
});
