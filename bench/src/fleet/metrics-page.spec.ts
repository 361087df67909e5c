import { sumOf } from './metrics-page';

const PAGE = `# HELP calls Calls
# TYPE calls counter
calls_total{kind="lease",outcome="granted",service="s"} 3
calls_total{kind="lease",outcome="denied",service="s"} 4
calls_total{kind="settle",outcome="granted",service="s"} 5
calls_total_more 100
plain 7.5
`;

describe('the sum of a metric', () => {
  it.each<[string, string[], number]>([
    ['calls_total', [], 12],
    ['calls_total', ['kind="lease"'], 7],
    ['calls_total', ['kind="lease"', 'outcome="granted"'], 3],
    ['plain', [], 7.5],
    ['absent', [], 0],
  ])('of %s with %j', (name, labels, sum) => {
    expect(sumOf(PAGE, name, labels)).toBe(sum);
  });
});
