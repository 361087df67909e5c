import { chooseEvenly, seededNumbers } from './choice';
import { apply, diffOf, mutationsOf } from './mutations';

const mutants = (text: string): string[] =>
  mutationsOf('a.ts', text).map((mutation) => apply(text, mutation));

describe('mutations', () => {
  it.each([
    ['x(a < b)', 'x(a <= b)'],
    ['x(a >= b)', 'x(a > b)'],
    ['x(a === b)', 'x(a !== b)'],
    ['x(a && b)', 'x(a || b)'],
    ['x(a ?? b)', 'x(a && b)'],
    ['x(a + b)', 'x(a - b)'],
    ['x(!a)', 'x(a)'],
    ['x(a++)', 'x(a--)'],
    ['x(1_000)', 'x(1001)'],
    ['x(5n)', 'x(6n)'],
    ['x(true)', 'x(false)'],
    ["x('a')", "x('')"],
    ["x('')", "x('mutant')"],
    ['x(a ? b : c)', 'x(a ? c : b)'],
    ['if (a) b(); else c();', 'if (!(a)) b(); else c();'],
    ['if (a) return;', 'if (!(a)) return;'],
    ['a();', ';'],
    ['throw a;', ';'],
  ])('of %s include %s', (text, mutant) => {
    expect(mutants(text)).toContain(mutant);
  });

  it.each([
    "import { a } from 'b';",
    "type A = 'a' | 'b';",
    'interface A { a: 1 }',
    "const a = <A extends 'x'>() => b;",
    "logger.info({ a: 1 }, 'x');",
    "this.logger[level]('x');",
    "const m = metrics.counter('a', 'Help', ['b']);",
    "@Foo('a') class A {}",
    'class A extends B { constructor() { super(); } }',
    "const a = { 'b': c };",
  ])('leave %s alone', (text) => {
    expect(mutants(text)).toEqual([]);
  });

  it('tell where they are and what they change', () => {
    const text = 'const a = 1;\nconst b = a < 2;\nconst c = 3;\n';
    const [, mutation] = mutationsOf('a.ts', text);
    expect(mutation).toMatchObject({ path: 'a.ts', line: 2, kind: 'operator' });
    expect(mutation && diffOf(text, mutation)).toBe('- const b = a < 2;\n+ const b = a <= 2;');
  });
});

describe('the choice of mutants', () => {
  const groups = [Array.from({ length: 1000 }, (_, i) => `long ${i}`), ['short 0', 'short 1', 'short 2']];

  it('is repeated by its seed', () => {
    expect(chooseEvenly(groups, 20, seededNumbers(7))).toEqual(chooseEvenly(groups, 20, seededNumbers(7)));
    expect(chooseEvenly(groups, 20, seededNumbers(7))).not.toEqual(
      chooseEvenly(groups, 20, seededNumbers(8)),
    );
  });

  it('never takes one twice and ends when there is no more', () => {
    const chosen = chooseEvenly(groups, 5000, seededNumbers(1));
    expect(chosen).toHaveLength(1003);
    expect(new Set(chosen).size).toBe(1003);
  });

  it('gives a short file the chance of a long one', () => {
    const first = Array.from(
      { length: 1000 },
      (_, seed) => chooseEvenly(groups, 1, seededNumbers(seed))[0] ?? '',
    );
    const short = first.filter((name) => name.startsWith('short')).length;
    expect(short).toBeGreaterThan(400);
    expect(short).toBeLessThan(600);
  });
});
