import { ArangoFault } from '../faults';
import { Mischief } from '../mischief';
import { runQuery } from './executor';

const NO_COLLECTIONS = {
  collection: (name: string): never => {
    throw new ArangoFault(1203, `collection or view not found: ${name}`);
  },
  has: () => false,
};

function run(query: string, bindVars: Record<string, unknown> = {}): unknown[] {
  return runQuery(query, bindVars, NO_COLLECTIONS, new Mischief(undefined)).rows;
}

function failure(query: string, bindVars: Record<string, unknown> = {}): [number, number] | undefined {
  try {
    run(query, bindVars);
    return undefined;
  } catch (error) {
    return error instanceof ArangoFault ? [error.status, error.errorNum] : undefined;
  }
}

describe('AQL', () => {
  it.each<[string, unknown]>([
    ['1 + 2 * 3 - 4 / 2', 5],
    ['7 / 2', 3.5],
    ['1 / 0', null],
    ['5 % 0', null],
    ['"12.5" + 1', 13.5],
    ['"a" + "b"', 0],
    ['-"3"', -3],
    ['1 == 1.0', true],
    ['"1" == 1', false],
    ['null < 0', true],
    ['false < 0 && 9 < "" && "z" < [] && [] < {}', true],
    ['[] < [0]', true],
    ['{b: 1} < {a: 0}', true],
    ['{} == {a: null}', true],
    ['null || "foo"', 'foo'],
    ['1 && 0', 0],
    ['!"" && ![] == false', true],
    ['NOT NULL', true],
    ['0 ?: "x"', 'x'],
    ['1 ? 2 : 3', 2],
    ['1 + 2 .. 3 + 4', [3, 4, 5, 6, 7]],
    ['3..1', [3, 2, 1]],
    ['2 IN 1..5', true],
    ['2 IN "no list"', false],
    ['2 NOT IN null', true],
    ['[1, 2] ALL > 0', true],
    ['[] ALL > 0', true],
    ['[] ANY > 0', false],
    ['[1, 2] NONE == 3', true],
    ['[1, 2] ANY IN [2]', true],
    ['"foo" LIKE "f%"', true],
    ['"foo" NOT LIKE "f_"', true],
    ['"a.c" LIKE "a.c" && !("abc" LIKE "a.c")', true],
    ['"foobar" =~ "o+b"', true],
    ['[1, 2, 3][-1]', 3],
    ['[1, 2][9]', null],
    ['{a: {b: [1]}}.a.b[0]', 1],
    ['{a: 1}["a"]', 1],
    ['(null).a.b', null],
    ['[{a: 1}, {a: 2}, {b: 3}][*].a', [1, 2, null]],
    ['[[1], [2, 3]][**]', [1, 2, 3]],
    ['[1, 2, 3, 4][* FILTER CURRENT > 1 LIMIT 1, 2 RETURN CURRENT * 10]', [30, 40]],
    ['{["a" + 0]: 1}', { '0': 1 }],
    ['(FOR x IN [1, 2] RETURN x)', [1, 2]],
    ['LENGTH(FOR x IN [1, 2] RETURN x)', 2],
    ['FIRST(RETURN 5)', 5],
    ['1 /* comment */ + // other\n 1', 2],
    ['@v.a', 7],
  ])('%s', (expression, expected) => {
    expect(run(`RETURN ${expression}`, expression.includes('@v') ? { v: { a: 7 } } : {})).toEqual([expected]);
  });

  it.each<[string, unknown[]]>([
    ['FOR x IN [3, 1, 2] SORT x DESC LIMIT 2 RETURN x', [3, 2]],
    ['FOR x IN [3, 1, 2] SORT x LIMIT 1, 1 RETURN x', [2]],
    ['FOR x IN [1, 2, 3] LIMIT 1, null RETURN x', [2, 3]],
    ['FOR x IN [1, 2] LIMIT 0 RETURN x', []],
    ['FOR x IN [1, 2] FOR y IN [x, 10] RETURN x * y', [1, 10, 4, 20]],
    ['FOR x IN [1, 2] LET y = x + 1, z = y * 2 FILTER z > 4 RETURN {x, z}', [{ x: 2, z: 6 }]],
    ['FOR x IN [1, 2, 1] RETURN DISTINCT x', [1, 2]],
    [
      'FOR x IN [1, 2, 1] COLLECT k = x WITH COUNT INTO n RETURN [k, n]',
      [
        [1, 2],
        [2, 1],
      ],
    ],
    ['FOR x IN [] COLLECT WITH COUNT INTO n RETURN n', [0]],
    [
      'FOR x IN [1, 2, 3] COLLECT odd = x % 2 INTO g RETURN [odd, g[*].x]',
      [
        [0, [2]],
        [1, [1, 3]],
      ],
    ],
    ['FOR x IN [1, 2, 3] COLLECT odd = x % 2 INTO g = x * 10 RETURN g', [[20], [10, 30]]],
    [
      'FOR x IN [1, 2, null] COLLECT AGGREGATE s = SUM(x), a = AVG(x), n = COUNT(x) RETURN [s, a, n]',
      [[3, 1.5, 3]],
    ],
    ['LET a = 1 FOR x IN [1] LET b = (FOR y IN [a, x] RETURN y) RETURN b', [[1, 1]]],
    ['WITH users, other FOR x IN [1] RETURN x', [1]],
    ['FOR x IN [2, 1] SORT x @d RETURN x', [2, 1]],
  ])('%s', (query, expected) => {
    expect(run(query, query.includes('@d') ? { d: 'DESC' } : {})).toEqual(expected);
  });

  it.each<[string, [number, number]]>([
    ['', [400, 1502]],
    ['RETURN 1 +', [400, 1501]],
    ['FOR x IN [1]', [400, 1501]],
    ['RETURN "open', [400, 1501]],
    ['RETURN DISTINCT 1', [400, 1501]],
    ['FOR x IN null RETURN x', [400, 1563]],
    ['FOR x IN nowhere RETURN x', [404, 1203]],
    ['RETURN nowhere', [404, 1203]],
    ['FOR x IN [1] FOR x IN [2] RETURN x', [400, 1511]],
    ['RETURN @missing', [400, 1551]],
    ['FOR x IN [1] LIMIT -1 RETURN x', [400, 1553]],
    ['FOR x IN [1] COLLECT AGGREGATE s = 5 RETURN s', [500, 1574]],
    ['RETURN SHA1("x")', [501, 9]],
    ['FOR d IN v SEARCH d.x == 1 RETURN d', [501, 9]],
    ['FOR v IN OUTBOUND K_SHORTEST_PATHS "a/1" TO "a/2" e RETURN v', [501, 9]],
    ['FOR x IN [1] WINDOW {preceding: 1} AGGREGATE s = SUM(x) RETURN s', [501, 9]],
    ['LET [a] = [1] RETURN a', [501, 9]],
    ['FOR v IN 1 ANY "a/1" GRAPH "g" RETURN v', [501, 9]],
    ['FOR d IN [1] INSERT {} INTO c RETURN NEW', [501, 9]],
    ['RETURN my::function(1)', [501, 9]],
  ])('refuses %s', (query, expected) => {
    expect(failure(query)).toEqual(expected);
  });

  it('wants every bind parameter, and no other', () => {
    expect(failure('RETURN @a', { a: 1, b: 2 })).toEqual([400, 1552]);
    expect(failure('FOR x IN @@c RETURN x', { '@c': 5 })).toEqual([400, 1553]);
  });

  it('takes values as values, whatever they contain', () => {
    const evil = '" || 1 == 1 RETURN 1 // \u0000';
    expect(run('FOR x IN [@v] FILTER x == @v RETURN x', { v: evil })).toEqual([evil]);
    expect(run('RETURN {[@k]: 1, @k: 2}', { k: 'a b' })).toEqual([{ 'a b': 2 }]);
  });
});
