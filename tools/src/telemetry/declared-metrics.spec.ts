import { declaredMetrics } from './declared-metrics';

describe('declaredMetrics', () => {
  it('finds every form in which a metric is declared', () => {
    const source = `
      const made = metrics.counter('a_total', 'Of a', ['x', 'y'] as const);
      this.#lag = options.metrics?.gauge('b', "Of b");
      const c = ctx.metrics.histogram<'z'>('c_seconds', \`Of c\`, ['z'], [0.1, 1]);
      once(name, () => new Counter({ name }));`;
    expect(declaredMetrics(source)).toEqual([
      { name: 'a_total', type: 'counter', meaning: 'Of a', labels: ['x', 'y'] },
      { name: 'b', type: 'gauge', meaning: 'Of b', labels: [] },
      { name: 'c_seconds', type: 'histogram', meaning: 'Of c', labels: ['z'] },
    ]);
  });

  it.each([
    ["metrics.counter(name, 'x')", 'The name'],
    ["metrics.counter('a', help)", 'The help text'],
    ["metrics.counter('a', 'x', labels)", 'A label'],
    ["metrics.counter('a', 'x', ['b', c])", 'A label'],
  ])('refuses %s', (source, fault) => {
    expect(() => declaredMetrics(source)).toThrow(`${fault} of a metric is no literal: ${source}`);
  });
});
