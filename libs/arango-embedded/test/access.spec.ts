import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runQuery, type QueryResult } from '../src/aql/executor';
import { Mischief } from '../src/mischief';
import { Engine } from '../src/store/engine';

describe('how queries read collections', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'arango-access-'));
  const engine = new Engine(dataDir);

  beforeAll(() => {
    engine.createDatabase('d');
    const people = engine.createCollection('d', 'people', 2);
    const knows = engine.createCollection('d', 'knows', 3);
    engine.createIndex(people, {
      type: 'persistent',
      name: 'byCity',
      fields: ['city', 'age'],
      unique: false,
      sparse: false,
    });
    engine.createIndex(people, {
      type: 'persistent',
      name: 'byNick',
      fields: ['nick'],
      unique: false,
      sparse: true,
    });
    engine.createIndex(people, {
      type: 'persistent',
      name: 'byWord',
      fields: ['words[*]'],
      unique: false,
      sparse: false,
    });
    engine.write(() => {
      for (let i = 0; i < 100; i++) {
        const nick = i % 10 === 0 ? { nick: `n${i}` } : {};
        people.write(
          `p${String(i).padStart(3, '0')}`,
          { city: `c${i % 5}`, age: i, words: [`w${i % 25}`, 'all', 'all', { in: 1 }], ...nick },
          undefined,
        );
        knows.write(
          `k${i}`,
          { _from: `people/p000`, _to: `people/p${String(i).padStart(3, '0')}` },
          undefined,
        );
      }
    });
  });

  afterAll(async () => {
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  function run(
    query: string,
    bindVars: Record<string, unknown> = {},
    mischief = new Mischief(undefined),
  ): QueryResult {
    const source = {
      collection: (name: string) => engine.collection('d', name),
      has: (name: string) => engine.hasCollection('d', name),
    };
    return runQuery(query, bindVars, source, mischief);
  }

  it.each<[string, string, string, number, unknown[]]>([
    ['a key', 'FOR p IN people FILTER p._key == "p007" RETURN p.age', 'primary', 1, [7]],
    [
      'many keys',
      'FOR p IN people FILTER p._key IN ["p001", "none", "p002", "p001"] RETURN p.age',
      'primary',
      2,
      [1, 2],
    ],
    ['an id', 'FOR p IN people FILTER "people/p003" == p._id RETURN p.age', 'primary', 1, [3]],
    [
      'a range of keys in order',
      'FOR p IN people FILTER p._key > "p010" SORT p._key LIMIT 2 RETURN p.age',
      'primary',
      2,
      [11, 12],
    ],
    [
      'keys backwards',
      'FOR p IN people FILTER p._key <= "p010" SORT p._key DESC LIMIT 2 RETURN p.age',
      'primary',
      2,
      [10, 9],
    ],
    [
      'equal values',
      'FOR p IN people FILTER p.city == "c1" && p.age == 6 RETURN p._key',
      'byCity',
      1,
      ['p006'],
    ],
    [
      'equal, then a range',
      'FOR p IN people FILTER p.city == "c1" FILTER p.age >= 90 RETURN p.age',
      'byCity',
      2,
      [91, 96],
    ],
    [
      'an open range',
      'FOR p IN people FILTER p.city == "c1" && 11 > p.age && p.age > 1 RETURN p.age',
      'byCity',
      1,
      [6],
    ],
    [
      'equal, then its order',
      'FOR p IN people FILTER p.city == "c2" SORT p.age LIMIT 2 RETURN p.age',
      'byCity',
      2,
      [2, 7],
    ],
    [
      'equal, then its order backwards',
      'FOR p IN people FILTER p.city == "c2" SORT p.age DESC LIMIT 2 RETURN p.age',
      'byCity',
      2,
      [97, 92],
    ],
    [
      'a range backwards',
      'FOR p IN people FILTER p.city == "c2" AND p.age <= 17 AND p.age >= 7 SORT p.age DESC RETURN p.age',
      'byCity',
      3,
      [17, 12, 7],
    ],
    ['an order alone', 'FOR p IN people SORT p.city, p.age LIMIT 1, 2 RETURN p.age', 'byCity', 3, [5, 10]],
    ['a sparse index', 'FOR p IN people FILTER p.nick IN ["n10", "n20"] RETURN p.age', 'byNick', 2, [10, 20]],
    [
      'an element of an array',
      'FOR p IN people FILTER "w7" IN p.words[*] AND p.age > 30 SORT p._key LIMIT 2 RETURN p.age',
      'byWord',
      3,
      [32, 57],
    ],
    ['an edge', 'FOR k IN knows FILTER k._to == "people/p042" RETURN k._key', 'edge', 1, ['k42']],
    [
      'edges behind a key',
      'FOR k IN knows FILTER k._from == "people/p000" AND k._key > "k97" SORT k._key RETURN k._key',
      'edge',
      2,
      ['k98', 'k99'],
    ],
    [
      'either end',
      'FOR k IN knows FILTER k._from == "people/p042" OR k._to == "people/p042" RETURN k._key',
      'edge',
      1,
      ['k42'],
    ],
    ['neighbours', 'FOR v IN 1..1 ANY "people/p042" knows RETURN v._key', 'edge', 1, ['p000']],
  ])('through an index: %s', (_, query, via, scanned, expected) => {
    const { rows, access, stats } = run(query);
    expect(rows).toEqual(expected);
    expect(access).toEqual([via]);
    expect([stats.scannedIndex, stats.scannedFull]).toEqual([scanned, 0]);
  });

  it.each<[string, string, number]>([
    ['no condition', 'FOR p IN people COLLECT WITH COUNT INTO n RETURN n', 100],
    ['a condition without index', 'FOR p IN people FILTER p.age == 5 RETURN 100', 100],
    ['null in a sparse index', 'FOR p IN people FILTER p.nick == null LIMIT 1 RETURN 100', 100],
    [
      'one alternative without index',
      'FOR p IN people FILTER p._key == "p001" || p.age == 1 RETURN 100',
      100,
    ],
  ])('through all documents: %s', (_, query, expected) => {
    const { rows, stats } = run(query);
    expect(rows).toEqual([expected]);
    expect(stats.scannedFull + stats.scannedIndex).toBeGreaterThan(1);
  });

  it('gives the same rows whether an index helps or not', () => {
    const orders = [
      '',
      'SORT p.city, p.age',
      'SORT p.age DESC',
      'SORT p._key DESC',
      'SORT p.city DESC, p.age DESC, p._key DESC',
    ];
    const filters = [
      'p.city == @v',
      'p.city >= @v',
      'p.city < @v',
      'p.city IN [@v, "c4"]',
      'p.city != @v',
      'p.nick > @v',
      '!p.nick && p.city == @v',
      '"all" IN p.words[*] AND p.city == @v',
      '"w3" IN p.words[*] OR p.city == @v',
      '"w3" IN p.words[* FILTER CURRENT == "w3"] AND p.city != @v',
      '{in: 1} IN p.words[*] AND p.city == @v',
    ];
    for (const order of orders) {
      for (const filter of filters) {
        const indexed = run(`FOR p IN people FILTER ${filter} ${order} RETURN p._key`, { v: 'c2' }).rows;
        const plain = run(`FOR p IN (FOR q IN people RETURN q) FILTER ${filter} ${order} RETURN p._key`, {
          v: 'c2',
        }).rows;
        if (order === '') expect([...indexed].sort()).toEqual([...plain].sort());
        else expect(indexed).toEqual(plain);
      }
    }
  });

  it('keeps the entries of an array index as elements come and go', () => {
    const wearers = (word: string): unknown[] =>
      run('FOR p IN people FILTER @word IN p.words[*] RETURN p._key', { word }).rows;
    const people = engine.collection('d', 'people');
    const before = people.stored('p007');
    engine.write(() => people.write('p007', { words: ['new', 'all'] }, before));
    expect([wearers('new'), wearers('w7').includes('p007'), wearers('all').length]).toEqual([
      ['p007'],
      false,
      100,
    ]);
    engine.write(() => people.remove('p007', people.stored('p007')!));
    expect([wearers('new'), wearers('all').length]).toEqual([[], 99]);
    engine.write(() => people.write('p007', { city: 'c2', age: 7, words: 'w7' }, undefined));
    expect(wearers('w7')).not.toContain('p007');
  });

  it('has no array index that is unique or compound', () => {
    const people = engine.collection('d', 'people');
    const index = { type: 'persistent' as const, name: 'other', sparse: false };
    for (const [fields, unique] of [
      [['words[*]'], true],
      [['city', 'words[*]'], false],
      [['words[*].in'], false],
    ] as const)
      expect(() => engine.createIndex(people, { ...index, fields, unique })).toThrow(
        expect.objectContaining({ errorNum: 9 }),
      );
  });

  it('does not take an index for order when an outer loop repeats it', () => {
    const { rows } = run(
      'FOR c IN ["c1", "c0"] FOR p IN people FILTER p.city == c && p.age < 10 SORT p.age RETURN p.age',
    );
    expect(rows).toEqual([0, 1, 5, 6]);
  });

  it('shuffles ties in test mode, also where an index would order them', () => {
    const mischief = new Mischief({ seed: 5, conflictRate: 0 });
    const query = 'FOR p IN people SORT p.city RETURN p._key';
    const [calm, wild] = [run(query).rows, run(query, {}, mischief).rows];
    expect(wild).not.toEqual(calm);
    expect([...wild].sort()).toEqual([...calm].sort());
  });
});
