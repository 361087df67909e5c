import { ArgumentFault } from '../fleet/drill-arguments';
import { readArguments } from './arguments';
import { MATRIX } from './fault-plan';

describe('the arguments of chaos:fleet', () => {
  it('are the whole matrix for ten minutes unless told', () => {
    expect(readArguments([])).toEqual({
      seed: 1,
      minutes: 10,
      faults: MATRIX,
      people: 20_000,
      friendships: 60_000,
      keys: 20,
      portBase: undefined,
      keep: false,
      json: undefined,
    });
  });

  it('choose faults by kind, target or both, each once', () => {
    const { faults } = readArguments(['--', '--faults', 'kill,key-service,stall:kafka']);
    expect(faults.map(({ kind, target }) => `${kind}:${target}`)).toEqual([
      'kill:key-service-0',
      'kill:parser-service-0',
      'kill:graph-storage-service-0',
      'kill:read-model-projector-0',
      'kill:identity-service-0',
      'kill:gateway',
      'kill:jwks-reconciler',
      'term:key-service-0',
      'freeze:key-service-0',
      'stall:kafka',
    ]);
  });

  it.each([
    [['--faults', 'kill,flood'], '--faults: "flood" is no kind, target or kind:target'],
    [['--minutes', '0'], '--minutes must be more than 0'],
    [['--seed', 'x'], '--seed must be a whole number from 0'],
    [['--people', '9'], '--people must be a whole number from 10'],
    [['--people', '100', '--friendships', '99'], '--friendships must be a whole number from 100'],
    [['--port-base', '80'], '--port-base must be a number from 1024 to 65235'],
  ])('%j are refused by name', (argv, sentence) => {
    expect(() => readArguments(argv)).toThrow(new ArgumentFault(sentence));
  });
});
