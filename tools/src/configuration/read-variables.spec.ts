import { readVariables } from './read-variables';

const FRAGMENTS = `
const port = z.coerce.number();
export const baseConfig = {
  /** How much
   *  is said. */
  LOG_LEVEL: z.enum(['info', 'warn'], 'must be one').default('info'),
  HTTP_PORT: port,
};
export const other = { URL: z.url() };`;

describe('readVariables', () => {
  it('knows what is needed, what is used instead, the choices and the comments', () => {
    const config = `
      const own = { LIMIT: count(1, 5).default(1_000), MAYBE: z.string().optional() };
      const schema = z.object({ ...baseConfig, ...own,
        /** Here. */
        URL: other.URL,
        ON: z.stringbool('must be true or false').default(false) });`;
    expect(readVariables(config, FRAGMENTS)).toEqual([
      { name: 'LOG_LEVEL', fallback: 'info', choices: ['info', 'warn'], about: 'How much is said.' },
      { name: 'HTTP_PORT', fallback: undefined, choices: undefined, about: '' },
      { name: 'LIMIT', fallback: '1000', choices: undefined, about: '' },
      { name: 'MAYBE', fallback: '', choices: undefined, about: '' },
      { name: 'URL', fallback: undefined, choices: undefined, about: 'Here.' },
      { name: 'ON', fallback: 'false', choices: undefined, about: '' },
    ]);
  });

  it('lets the last word win: a service may give a default to what others need', () => {
    const config = 'const schema = z.object({ ...baseConfig, HTTP_PORT: baseConfig.HTTP_PORT.default(0) });';
    expect(readVariables(config, FRAGMENTS)[1]).toEqual({
      name: 'HTTP_PORT',
      fallback: '0',
      choices: undefined,
      about: '',
    });
  });

  it.each([
    ['const other = 1;', 'There is no "const schema'],
    ['const schema = z.object(shape);', 'no literal'],
    ['const schema = z.object({ ...unknown });', 'unknown is not known'],
    ['const schema = z.object({ SHORT });', 'of no known form'],
  ])('refuses %s', (config, fault) => {
    expect(() => readVariables(config, FRAGMENTS)).toThrow(fault);
  });
});
