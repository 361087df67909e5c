import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isArangoError } from 'arangojs/errors';
import { onlyStandIn, rows, specServer, type SpecServer } from './server';

interface Recorded {
  name: string;
  query: string;
  bindVars: Record<string, unknown> | null;
  dataset: string | null;
  expected: unknown[];
}

const recorded = JSON.parse(
  readFileSync(join(__dirname, 'recorded', 'recorded-aql.json'), 'utf8'),
) as Recorded[];

/** What lies outside the subset; a query that leaves this list must answer as recorded. */
const OUTSIDE =
  /GRAPH |SHORTEST_PATH|WINDOW|DATE_|JACCARD|POP\(|SHIFT\(|REMOVE_NTH|CRC32|ENTRIES|FIND_|IPV4|IS_SAME|JSON_|_RECURSIVE|LTRIM|RTRIM|MATCHES|MD5|IN_RANGE|NGRAM|REGEX_|REPEAT|SHA|SUBSTITUTE|TO_HEX|TOKENS|TRANSLATE/;

describe('answers recorded from ArangoDB 3.12.10', () => {
  let server: SpecServer;

  beforeAll(async () => {
    server = await specServer({ seed: 3, conflictRate: 0 });
    await fill(server);
  });

  afterAll(() => server.stop());

  it.each(recorded.filter(({ query }) => !OUTSIDE.test(query)).map((one) => [one.name, one] as const))(
    '%s',
    async (_, { query, bindVars, expected }) => {
      const found = await rows(server.db, query, bindVars ?? {});
      expect(comparable(found, query)).toEqual(comparable(expected, query));
    },
  );

  onlyStandIn.each(
    recorded.filter(({ query }) => OUTSIDE.test(query)).map((one) => [one.name, one] as const),
  )('refuses %s with 501 instead of answering wrongly', async (_, { query, bindVars }) => {
    const failure: unknown = await rows(server.db, query, bindVars ?? {}).catch((error: unknown) => error);
    expect(isArangoError(failure) && [failure.code, failure.errorNum]).toEqual([501, 9]);
  });

  it('covers what the catalogue leans on', () => {
    expect(recorded.filter(({ query }) => !OUTSIDE.test(query)).length).toBeGreaterThanOrEqual(35);
  });
});

/** Revisions differ from run to run; rows have an order only where the query sorts. */
function comparable(values: unknown[], query: string): unknown[] {
  const plain = values.map(
    (value) =>
      JSON.parse(
        JSON.stringify(value, (name, inner: unknown) => (name === '_rev' ? undefined : inner)),
      ) as unknown,
  );
  return query.includes('SORT') ? plain : plain.map((value) => JSON.stringify(value, sortedNames)).sort();
}

function sortedNames(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The documentation's example graphs, as far as the queries need them. */
async function fill({ db }: SpecServer): Promise<void> {
  const persons = db.collection('persons');
  await persons.create();
  await persons.saveAll(
    ['Alice', 'Bob', 'Charlie', 'Dave', 'Eve'].map((name) => ({ _key: name.toLowerCase(), name })),
  );
  const circles = db.collection('circles');
  await circles.create();
  await circles.saveAll([...'ABCDEFGHIJK'].map((_key) => ({ _key, label: _key })));
  const edges = db.collection('edges');
  await edges.create({ type: 3 } as never);
  const pairs = ['AB', 'BC', 'CD', 'BE', 'EF', 'AG', 'GH', 'HI', 'GJ', 'JK'];
  await edges.saveAll(
    pairs.map(([from, to]) => ({ _from: `circles/${from}`, _to: `circles/${to}`, theTruth: true })),
  );
}
