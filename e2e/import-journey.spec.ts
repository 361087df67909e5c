import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import type { ImportView, SummaryView } from '@sociograph/api-client';
import { EVENT_HEADERS, TOPICS } from '@sociograph/contracts';
import { demoToken } from '@sociograph/testing';
import { Fleet, fromStack, USER_CALLS_PER_SECOND, useWorkspace } from './fleet';
import { readWholeTopic } from './read-topic';

jest.setTimeout(400_000);

const EGO_FACEBOOK = join(__dirname, '../infra/vk-simulator/data/ego-facebook.txt.gz');
const KEYS = 20;
/** Three people of the graph with figures that its README publishes; the simulator shifts ids by one. */
const SPOT_CHECKS = [
  { id: '108', degree: 1045, triangles: 26750 },
  { id: '1685', degree: 792, triangles: 14025 },
  { id: '1913', degree: 755, triangles: 30025 },
];

describe('the import of ego-Facebook', () => {
  const workspace = `e2e-${randomUUID().slice(0, 8)}`;
  let fleet: Fleet;
  let finished: ImportView;
  let summary: SummaryView;

  beforeAll(async () => {
    await useWorkspace(workspace);
    fleet = await Fleet.up(EGO_FACEBOOK, { keys: KEYS });
    await fleet.registerKeys();
    finished = await fleet.completed(await fleet.startImport(), 120_000);
    summary = await fleet.api.summaryAfter(finished);
  });

  it('ends with the published figures', () => {
    expect(summary).toMatchObject({
      users: 4039,
      friendships: 88234,
      triangles: 1612010,
      components: { count: 1, largest: 4039 },
    });
    expect(summary.averageClustering).toBeCloseTo(0.605547, 6);
    expect(summary.transitivity).toBeCloseTo(0.519174, 6);
    expect(summary.closedTriangleFraction).toBeCloseTo(0.264662, 6);
  });

  it.each(SPOT_CHECKS)('knows degree and triangles of person $id', async ({ id, degree, triangles }) => {
    expect(await fleet.api.get(`/v1/profiles/vk/${id}`)).toMatchObject({ id, degree, triangles });
  });

  it('lists every friend of a person once, page by page', async () => {
    const friends: string[] = [];
    let path: string | null = '/v1/people/vk/108/friends?limit=200';
    while (path !== null) {
      const page: { items: { id: string }[]; next?: string | null } = await fleet.api.get(path);
      friends.push(...page.items.map((friend) => friend.id));
      path = page.next ? `/v1/people/vk/108/friends?limit=200&cursor=${encodeURIComponent(page.next)}` : null;
    }
    expect(friends).toHaveLength(1045);
    expect(new Set(friends).size).toBe(1045);
  });

  it('oversteps no limit and certifies that nothing is missing', async () => {
    const { totals } = await fleet.api.stats();
    expect(totals.refused).toBe(0);
    expect(totals.served).toBeLessThanOrEqual(KEYS * USER_CALLS_PER_SECOND * (totals.seconds + 1));
    expect(await fleet.api.certificate(finished.id)).toMatchObject({
      final: true,
      expected: { people: 4039, lists: 4039 },
      got: { people: 4039, lists: 4039 },
      gaps: [],
    });
  });

  /** Other specs plant bad records on the same topics: only what this import published is looked at. */
  const ofThisImport = ({ key }: { key: string }): boolean => key.startsWith(`${workspace}:`);

  it('leaves nothing in dead-letter topics', async () => {
    const deadLetters = [
      `${TOPICS.users.name}.graph-storage.dlt`,
      `${TOPICS.friendLists.name}.graph-storage.dlt`,
      `${TOPICS.graphChanges.name}.read-model-projector.dlt`,
    ];
    for (const topic of deadLetters) {
      expect((await readWholeTopic(topic)).filter(ofThisImport)).toEqual([]);
    }
  });

  it('publishes only events that fit their JSON Schema', async () => {
    const ajv = new Ajv2020({ strict: false });
    const schemas = new Map<string, ReturnType<typeof ajv.compile>>();
    const validatorOf = (type: string) => {
      const known =
        schemas.get(type) ??
        ajv.compile(
          JSON.parse(
            readFileSync(join(__dirname, `../libs/contracts/schemas/${type}.json`), 'utf8'),
          ) as object,
        );
      schemas.set(type, known);
      return known;
    };
    const everything = (): boolean => true;
    const topics = [
      ...[TOPICS.users, TOPICS.friendLists, TOPICS.graphChanges].map(({ name }) => ({
        name,
        chosen: ofThisImport,
      })),
      ...[TOPICS.views, TOPICS.imports, TOPICS.keys, TOPICS.audit].map(({ name }) => ({
        name,
        chosen: everything,
      })),
    ];
    for (const { name, chosen } of topics) {
      const records = (await readWholeTopic(name)).filter(chosen);
      expect(`${name}: ${records.length > 0}`).toBe(`${name}: true`);
      for (const { headers, value } of records) {
        const validate = validatorOf(headers[EVENT_HEADERS.type] ?? '');
        if (!validate(JSON.parse(value))) throw new Error(`${name}: ${ajv.errorsText(validate.errors)}`);
        expect(headers[EVENT_HEADERS.specVersion]).toBe('1.0');
      }
    }
  });
});

describe('bad input', () => {
  const gateway = fromStack('GATEWAY_URL');
  let token: string;

  beforeAll(async () => {
    token = await demoToken();
  });

  const post = (path: string, body: string) =>
    fetch(gateway + path, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });

  it.each([
    ['an unknown network', { network: 'friendster', seeds: ['1'] }, 'network'],
    ['a malformed id', { network: 'vk', seeds: ['1', 'not an id!'] }, 'seeds'],
    ['no seed', { network: 'vk', seeds: [] }, 'seeds'],
    ['a depth of 99', { network: 'vk', seeds: ['1'], depth: 99 }, 'depth'],
    ['a depth that is text', { network: 'vk', seeds: ['1'], depth: '3' }, 'depth'],
    ['a field that does not exist', { network: 'vk', seeds: ['1'], speed: 'high' }, 'speed'],
    ['a negative limit', { network: 'vk', seeds: ['1'], limits: { people: -1 } }, 'limits.people'],
  ])('%s is refused by the name of its field', async (_what, body, field) => {
    const answer = await post('/v1/imports', JSON.stringify(body));
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const problem = (await answer.json()) as { status: number; errors: { field: string }[] };
    expect([400, 422]).toContain(answer.status);
    expect(problem.status).toBe(answer.status);
    expect(problem.errors.map((error) => error.field.replace(/[.[].*(?<!limits\.people)$/, ''))).toContain(
      field,
    );
  });

  it('broken JSON is 400 and names the body', async () => {
    const answer = await post('/v1/imports', '{"network": "vk", ');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ status: 400, errors: [{ field: 'body' }] });
  });

  it('a body of 10 MB is 413', async () => {
    expect(
      (await post('/v1/imports', JSON.stringify({ network: 'vk', seeds: ['1'.repeat(10_000_000)] }))).status,
    ).toBe(413);
  });

  it('no token is 401, an unknown person 404, a bad min-position 400', async () => {
    const get = (path: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
      fetch(gateway + path, { headers });
    expect((await get('/v1/graphs/vk/summary', {})).status).toBe(401);
    expect((await get('/v1/people/vk/999999999')).status).toBe(404);
    expect((await get('/v1/graphs/vk/summary?min-position=!!')).status).toBe(400);
  });
});
