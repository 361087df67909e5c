import { between, codeTable, errorCodesOf } from './error-codes';

describe('error codes', () => {
  it('are found in objects, with kind and sentence', () => {
    const text = "throw new DomainError({ code: 'A.B_C', kind: 'conflict', message: `No ${x} here.` });";
    expect(errorCodesOf('a.ts', text)).toEqual([
      { code: 'A.B_C', kind: 'conflict', message: 'No ... here.', path: 'a.ts' },
    ]);
  });

  it('say what is said where no sentence of its own is', () => {
    const text = "new DomainError({ code: 'A.B', kind: 'bug', message: sentences[why] ?? 'Not so.' });";
    expect(errorCodesOf('a.ts', text)[0]?.message).toBe('Not so.');
  });

  it('are found as arguments and alone', () => {
    const text = "forbidden('A.B', 'Not for you.'); const code = ok ? 'A.C' : 'A.D'; const no = 'A';";
    expect(errorCodesOf('a.ts', text).map(({ code, message }) => [code, message])).toEqual([
      ['A.B', 'Not for you.'],
      ['A.C', undefined],
      ['A.D', undefined],
    ]);
  });

  it('make one row each, by name', () => {
    const of = (code: string, path: string, kind?: string): Parameters<typeof codeTable>[0][number] => ({
      code,
      kind,
      message: 'a|b',
      path,
    });
    expect(
      codeTable([
        of('B.A', 'libs/x/src/a.ts'),
        of('A.A', 'gateway/a.ts'),
        of('B.A', 'services/y/b.ts', 'bug'),
      ]),
    ).toBe(
      [
        '| code | kind | says | made in |',
        '| --- | --- | --- | --- |',
        '| `A.A` |  | a\\|b | gateway |',
        '| `B.A` | bug | a\\|b | x, y |',
      ].join('\n'),
    );
  });

  it('stand between their marks', () => {
    const text = 'a\n<!-- codes -->\nold\n<!-- end of codes -->\nb\n';
    expect(between(text, 'codes', 'new')).toBe('a\n<!-- codes -->\n\nnew\n\n<!-- end of codes -->\nb\n');
    expect(() => between('a', 'codes', 'new')).toThrow('the marks "codes" are missing');
  });
});
