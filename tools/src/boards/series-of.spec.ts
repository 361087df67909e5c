import { seriesIn } from './series-of';

describe('seriesIn', () => {
  it.each([
    ['up', ['up']],
    ['sum by (le, service) (rate(a_bucket{b="c_total", d=~"e{2}"}[$__rate_interval]))', ['a_bucket']],
    ['group:lag:sum > 0 or vector(0)', ['group:lag:sum']],
    ['a / on(x) group_left(y_total) b offset 5m', ['a', 'b']],
    ['predict_linear(disk_bytes[1h], 7 * 86400) - 1.5e3', ['disk_bytes']],
    [
      'histogram_quantile(0.95, sum without (instance) (rate(x_bucket[5m]))) and x_count',
      ['x_bucket', 'x_count'],
    ],
    ['ALERTS{alertstate="firing"} unless Inf', ['ALERTS']],
    ['label_replace(up, "a_b", "$1", "c_d", "(.*)")', ['up']],
    ['topk(10, sum by(k) (rate(a_total{k=~"$key"}[1m])))', ['a_total']],
  ])('of %s are %j', (expression, names) => {
    expect(seriesIn(expression)).toEqual(names);
  });
});
