import { parseEnv } from 'node:util';
import { environmentExample } from './environment-example';
import type { Variable } from './read-variables';

const variable = (name: string, details: Partial<Variable> = {}): Variable => ({
  name,
  fallback: undefined,
  choices: undefined,
  about: '',
  ...details,
});

describe('environmentExample', () => {
  const text = environmentExample([
    {
      name: 'a',
      variables: [
        variable('PORT'),
        variable('URL', { about: 'Where.' }),
        variable('KEPT_DAYS', { fallback: '7' }),
      ],
    },
    {
      name: 'b',
      variables: [
        variable('PORT'),
        variable('URL'),
        variable('KIND', { fallback: 'x', choices: ['x', 'y'], about: 'Of it.' }),
      ],
    },
    { name: 'c', variables: [variable('PORT')] },
  ]);

  it('names each variable once, with its meaning, its choices and who reads it', () => {
    expect(text.slice(text.indexOf('\n# a'))).toBe(`
# a
# (all)
PORT=
# Where. (a, b)
URL=
#KEPT_DAYS=7

# b
# Of it. One of x, y.
#KIND=x

# c
`);
  });

  it('is an env file in which only what is needed is set', () => {
    expect(parseEnv(text)).toEqual({ PORT: '', URL: '' });
  });
});
