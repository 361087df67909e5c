import { onlyStandIn, rows, specServer, type SpecServer } from './server';

/**
 *     a - b - c - d        x - y
 *     |   |   |
 *     e - f - g - h
 */
const PAIRS = ['ab', 'bc', 'cd', 'ae', 'bf', 'cg', 'ef', 'fg', 'gh', 'xy'];

describe('walks over the graph', () => {
  let server: SpecServer;

  beforeAll(async () => {
    server = await specServer({ seed: 4, conflictRate: 0 });
    const places = server.db.collection('places');
    await places.create();
    await places.saveAll([...'abcdefghxy'].map((_key) => ({ _key, name: _key.toUpperCase() })));
    const roads = server.db.collection('roads');
    await roads.create({ type: 3 } as never);
    await roads.saveAll(
      PAIRS.map(([from, to], n) => ({
        _key: `${from}${to}`,
        _from: `places/${from}`,
        _to: `places/${to}`,
        n,
      })),
    );
  });

  afterAll(() => server.stop());

  const ask = (query: string, bindVars: Record<string, unknown> = {}): Promise<unknown[]> =>
    rows(server.db, query, bindVars);
  const sorted = async (query: string, bindVars: Record<string, unknown> = {}): Promise<string> =>
    (await ask(query, bindVars)).sort().join(' ');

  it.each([
    ['1..1 ANY', 'b e'],
    ['1..1 OUTBOUND', 'b e'],
    ['0..1 ANY', 'a b e'],
    ['1..2 ANY', 'b c e f'],
    ['2..2 ANY', 'c f'],
    ['1..9 ANY', 'b c d e f g h'],
    ['3..9 ANY', 'd g h'],
  ])('%s from a reaches each place once: %s', async (walk, reached) => {
    const query = `FOR v IN ${walk} "places/a" roads OPTIONS { order: "bfs", uniqueVertices: "global" } RETURN v._key`;
    expect(await sorted(query)).toBe(reached);
  });

  it('goes against the direction of edges only when told', async () => {
    expect(await sorted('FOR v IN 1..1 INBOUND "places/g" roads RETURN v._key')).toBe('c f');
    expect(await sorted('FOR v IN 1..1 OUTBOUND "places/g" roads RETURN v._key')).toBe('h');
    expect(await sorted('FOR v IN 1..1 ANY "places/g" roads RETURN v._key')).toBe('c f h');
  });

  it('does not go on behind what is pruned, but shows it', async () => {
    const query = `FOR v IN 1..9 ANY "places/a" roads PRUNE v._key IN ["b", "f"]
      OPTIONS { order: "bfs", uniqueVertices: "global" } RETURN v._key`;
    expect(await sorted(query)).toBe('b e f');
  });

  it('shows edges and paths', async () => {
    const query = `FOR v, e, p IN 2..2 OUTBOUND "places/b" roads
      FILTER v._key == "d" RETURN [e._key, p.vertices[*]._key, p.edges[*]._key]`;
    expect(await ask(query)).toEqual([['cd', ['b', 'c', 'd'], ['bc', 'cd']]]);
  });

  it.each([
    ['ANY', 'a', 'd', ['a', 'b', 'c', 'd']],
    ['OUTBOUND', 'a', 'd', ['a', 'b', 'c', 'd']],
    ['INBOUND', 'd', 'a', ['d', 'c', 'b', 'a']],
    ['ANY', 'd', 'a', ['d', 'c', 'b', 'a']],
    ['ANY', 'e', 'b', 3],
    ['ANY', 'a', 'h', 5],
    ['ANY', 'd', 'h', ['d', 'c', 'g', 'h']],
    ['OUTBOUND', 'd', 'h', []],
    ['ANY', 'a', 'x', []],
    ['ANY', 'a', 'a', ['a']],
    ['ANY', 'x', 'y', ['x', 'y']],
  ])('%s SHORTEST_PATH %s TO %s', async (direction, from, to, path) => {
    const query = `FOR v, e IN ${direction} SHORTEST_PATH @from TO @to roads RETURN [v._key, e._from, e._to]`;
    const found = (await ask(query, { from: `places/${from}`, to: `places/${to}` })) as [
      string,
      string,
      string,
    ][];
    const stops = found.map(([key]) => key);
    if (typeof path === 'number') expect(stops).toHaveLength(path);
    else expect(stops).toEqual(path);
    // Each stop but the first names the edge that led to it.
    found.forEach(([key, start, end], i) => {
      const ends = [start, end].sort();
      const wanted = [`places/${stops[i - 1]}`, `places/${key}`].sort();
      expect(ends).toEqual(i === 0 ? [null, null] : wanted);
    });
  });

  it('takes the ends of a shortest path from documents too, and the edges from a bind parameter', async () => {
    const query = `LET a = DOCUMENT("places/a") LET d = DOCUMENT("places/c")
      FOR v IN ANY SHORTEST_PATH a TO d @@edges RETURN v.name`;
    expect(await ask(query, { '@edges': 'roads' })).toEqual(['A', 'B', 'C']);
  });

  it('finds shortest paths row by row', async () => {
    const query = `FOR end IN ["places/b", "places/y", "places/e"]
      LET path = (FOR v IN ANY SHORTEST_PATH "places/a" TO end roads RETURN v._key)
      RETURN CONCAT_SEPARATOR("", path)`;
    expect(await ask(query)).toEqual(['ab', '', 'ae']);
  });

  it('ends a query that takes longer than it may', async () => {
    const query = `FOR a IN places FOR b IN places FOR c IN places FOR d IN places FOR e IN places FOR f IN places
      FOR g IN places FILTER g.name == "nothing" RETURN 1`;
    const cursor = server.db.query(query, {}, { maxRuntime: 0.05 });
    await expect(cursor).rejects.toMatchObject({ code: 410, errorNum: 1500 });
    expect(await ask('RETURN 1')).toEqual([1]);
  });

  onlyStandIn.each([
    ['FOR v IN ANY SHORTEST_PATH "a/1" TO "a/2" GRAPH "g" RETURN v', 'a named GRAPH'],
    [
      'FOR v IN ANY SHORTEST_PATH "a/1" TO "a/2" roads OPTIONS { weightAttribute: "n" } RETURN v',
      'a weighted SHORTEST_PATH',
    ],
    ['FOR p IN ANY K_SHORTEST_PATHS "a/1" TO "a/2" roads RETURN p', 'K_SHORTEST_PATHS'],
    ['FOR p IN 1..2 ANY K_PATHS "a/1" TO "a/2" roads RETURN p', 'K_PATHS'],
    ['FOR p IN ANY ALL_SHORTEST_PATHS "a/1" TO "a/2" roads RETURN p', 'ALL_SHORTEST_PATHS'],
  ])('refuses %s', async (query, construct) => {
    await expect(ask(query)).rejects.toMatchObject({
      code: 501,
      errorNum: 9,
      message: expect.stringContaining(`${construct} is not supported`),
    });
  });
});
