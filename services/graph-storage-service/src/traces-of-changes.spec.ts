import { TracesOfChanges } from './traces-of-changes';

const record = (key: string, traceparent?: string, trace?: string) => ({
  key,
  headers: traceparent === undefined ? {} : { traceparent },
  trace,
});

describe('the trace of a change', () => {
  it('is the span that works on the observation it follows from, else what the observation carried', () => {
    const traces = new TracesOfChanges();
    traces.note(3, [record('a', 'carried', 'span'), record('b', 'unkept'), record('c')]);
    expect([traces.of(3, 'a'), traces.of(3, 'b'), traces.of(3, 'c'), traces.of(3, 'd')]).toEqual([
      'span',
      'unkept',
      '',
      '',
    ]);
    expect(traces.any(3)).toBe('span');
  });

  it('goes on where one of several observations of a vertex is kept', () => {
    const traces = new TracesOfChanges();
    traces.note(0, [
      record('a', 'x', 'kept'),
      record('a', 'unkept'),
      record('b', 'unkept'),
      record('b', 'y', 'kept too'),
    ]);
    expect([traces.of(0, 'a'), traces.of(0, 'b')]).toEqual(['kept', 'kept too']);
    expect(traces.any(0)).toBe('kept');
  });

  it('is that of its own partition, and gone with the batch', () => {
    const traces = new TracesOfChanges();
    const forget = traces.note(1, [record('a', 'one', 'one')]);
    traces.note(2, [record('a', 'two')]);
    expect([traces.of(1, 'a'), traces.of(2, 'a')]).toEqual(['one', 'two']);
    expect(traces.any(2)).toBe('');
    forget();
    expect([traces.of(1, 'a'), traces.any(1), traces.of(2, 'a')]).toEqual(['', '', 'two']);
  });

  it('is not lost by the end of the batch before', () => {
    const traces = new TracesOfChanges();
    const forget = traces.note(1, [record('a', 'one')]);
    traces.note(1, [record('a', 'two')]);
    forget();
    expect(traces.of(1, 'a')).toBe('two');
  });
});
