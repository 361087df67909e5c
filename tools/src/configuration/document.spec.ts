import { configurationDocument } from './document';
import type { Variable } from './read-variables';

const variable = (name: string, details: Partial<Variable> = {}): Variable => ({
  name,
  fallback: undefined,
  choices: undefined,
  about: '',
  ...details,
});

describe('configurationDocument', () => {
  it('says what all read alike once, and what is needed before what is not', () => {
    const text = configurationDocument([
      {
        name: 'a',
        variables: [variable('PORT'), variable('LATER', { fallback: '5', about: 'x|y' }), variable('URL')],
      },
      { name: 'b', variables: [variable('PORT'), variable('URL', { fallback: '' })] },
    ]);
    expect(text.slice(text.indexOf('## '))).toBe(`## All of them

| variable | without it | |
| --- | --- | --- |
| \`PORT\` | **refused** |  |

## a

| variable | without it | |
| --- | --- | --- |
| \`URL\` | **refused** |  |
| \`LATER\` | \`5\` | x\\|y |

## b

| variable | without it | |
| --- | --- | --- |
| \`URL\` | left out |  |
`);
  });

  it('names the choices before the meaning', () => {
    const choice = variable('KIND', { choices: ['a', 'b'], fallback: 'a', about: 'Of it.' });
    expect(configurationDocument([{ name: 'a', variables: [choice] }])).toContain(
      '| One of `a`, `b`. Of it. |',
    );
  });
});
