import { metricsOfExposition } from './exposition';

describe('metricsOfExposition', () => {
  it('reads names, types, meanings and labels, those of a histogram without its buckets', () => {
    const text = `# HELP a_total Of a
# TYPE a_total counter
a_total{x="1",y="2"} 3
# HELP b_ms Of b
# TYPE b_ms histogram
b_ms_bucket{x="1",le="5"} 1
b_ms_count{x="1"} 1
# HELP c_count Of c
# TYPE c_count gauge
c_count{z="1"} 1
# HELP d Without samples
# TYPE d gauge
`;
    expect(metricsOfExposition(text)).toEqual([
      { name: 'a_total', type: 'counter', meaning: 'Of a', labels: ['x', 'y'] },
      { name: 'b_ms', type: 'histogram', meaning: 'Of b', labels: ['x'] },
      { name: 'c_count', type: 'gauge', meaning: 'Of c', labels: ['z'] },
      { name: 'd', type: 'gauge', meaning: 'Without samples', labels: [] },
    ]);
  });
});
