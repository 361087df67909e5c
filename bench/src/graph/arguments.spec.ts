import { ArgumentFault, graphBenchArguments, USAGE } from './arguments';

describe('arguments of bench:graph', () => {
  it('measures everything at the sizes of the bars unless told otherwise', () => {
    expect(graphBenchArguments([])).toEqual({
      parts: ['changes', 'freshness', 'rebuild', 'queries'],
      people: 52_000,
      rate: 2_000,
      warmUpSeconds: 30,
      seconds: 120,
      friendships: 1_300_000,
      changes: 1_000_000,
      seed: 1,
      stack: undefined,
      json: undefined,
      check: false,
    });
  });

  it('takes parts in any order and keeps its own', () => {
    const options = graphBenchArguments(['--', '--parts', 'queries,changes', '--stack', 'dev', '--check']);
    expect(options).toMatchObject({ parts: ['changes', 'queries'], stack: 'dev', check: true });
  });

  it.each([
    [['--parts', 'memory'], '--parts: memory is none of changes, freshness, rebuild, queries'],
    [['--people', '199'], '--people must be a whole number from 200'],
    [['--rate', '1.5'], '--rate must be a whole number from 50'],
    [['--seconds', '0'], '--seconds must be a whole number from 1'],
    [['--help'], USAGE],
  ])('refuses %j in one sentence', (argv, sentence) => {
    expect(() => graphBenchArguments(argv)).toThrow(new ArgumentFault(sentence));
  });
});
