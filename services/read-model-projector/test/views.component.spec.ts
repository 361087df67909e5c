import type { PayloadOf, Positions } from '@sociograph/contracts';
import {
  encodePositions,
  EVENT_HEADERS,
  inputMarked,
  markerKey,
  recordKey,
  TOPICS,
  vertexChanged,
  partitionOf,
} from '@sociograph/contracts';
import { createKafka, EventPublisher } from '@sociograph/messaging';
import { demoToken, eventually } from '@sociograph/testing';
import { noOtherWriter, type OwnViews, ownViews } from './own-views';
import { ProjectorProcess } from './projector-process';
import { silent, unique } from './servers';

/** Long enough for a machine that does much else; nothing here waits for it to pass. */
const WITHIN = { timeoutMs: 40_000 };
jest.setTimeout(3 * WITHIN.timeoutMs);

const CHANGES = TOPICS.graphChanges.name;

describe('the projector on real servers', () => {
  const running: ProjectorProcess[] = [];
  let publisher: EventPublisher;
  let token: string;
  let workspace: string;
  let views: OwnViews;
  let network: string;

  const start = async (): Promise<ProjectorProcess> => {
    const projector = await ProjectorProcess.start(views.env);
    running.push(projector);
    return projector;
  };
  const startWriter = async (): Promise<ProjectorProcess> => {
    const projector = await start();
    await eventually(async () => (await projector.metric('projector_writer')) === 1, WITHIN);
    return projector;
  };
  const summaryPath = (at?: Positions): string =>
    `/v1/graphs/${network}/summary${at === undefined ? '' : `?min-position=${encodePositions(at)}`}`;

  /** Readable at a position once the rows have it; profiles and the summary are in the writer's memory before. */
  const rowsPath = (at: Positions): string =>
    `/v1/graphs/${network}/rankings/degree?min-position=${encodePositions(at)}`;
  const rowsAt = async (projector: ProjectorProcess, at: Positions): Promise<void> => {
    await eventually(async () => (await projector.get(rowsPath(at), token)).status === 200, WITHIN);
  };

  beforeAll(async () => {
    const account = (name: string): string | undefined => process.env[`GRAPH_STORAGE_SERVICE_${name}`];
    const kafka = createKafka({
      brokers: process.env['KAFKA_BROKERS'] ?? '',
      username: account('KAFKA_USERNAME'),
      password: account('KAFKA_PASSWORD'),
      clientId: 'spec',
      logger: silent,
    });
    publisher = new EventPublisher({ kafka, source: 'spec' });
    token = await demoToken();
    workspace = workspaceOf(token);
    await noOtherWriter();
    views = await ownViews(kafka);
  });

  beforeEach(() => {
    network = unique('s').slice(0, 15);
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((projector) => projector.end('SIGKILL')));
  });

  afterAll(async () => {
    await publisher.close();
    await views?.drop();
  });

  const publish = (changes: Change[]): Promise<Positions> =>
    publisher.publish(
      changes.map((value) => ({
        message: vertexChanged,
        key: recordKey(workspace, network, value.kind, value.id),
        value,
      })),
    );
  const person = (id: string, friends: string[], version = 1): Change => ({
    workspaceId: workspace,
    network,
    kind: 'user',
    id,
    version,
    changedAt: 1,
    document: {
      state: 'active',
      profile: { firstName: 'Vera', lastName: 'Orlova' },
      observedAt: 1_795_000_000_000,
      fence: 1,
    },
    friends: { ids: friends, complete: true, observedAt: 1, fence: 1 },
  });

  it('answers summary and profile at the position that a reader asks for, and the same after a restart', async () => {
    const first = await startWriter();
    const at = await publish([
      person('1', ['2', '3', '9']),
      person('2', ['3']),
      person('3', []),
      person('4', []),
    ]);
    await eventually(async () => (await first.get(summaryPath(at), token)).status === 200, WITHIN);
    const summary = await first.get(summaryPath(at), token);
    const { freshness, ...figures } = summary.body as { freshness: { at: string; appliedUpTo: string } };
    expect(figures).toEqual({
      network,
      users: 4,
      friendships: 3,
      triangles: 1,
      wedges: 3,
      averageClustering: 0.75,
      transitivity: 1,
      closedTriangleFraction: 1,
      components: { count: 2, largest: 3 },
      degreeDistribution: [
        { degree: 0, users: 1 },
        { degree: 2, users: 3 },
      ],
    });
    expect(Date.parse(freshness.at)).toBeGreaterThan(1_700_000_000_000);
    const again = await first.get(
      `/v1/graphs/${network}/summary?min-position=${freshness.appliedUpTo}`,
      token,
    );
    expect(again.status).toBe(200);
    const profile = await first.get(`/v1/profiles/${network}/1?min-position=${encodePositions(at)}`, token);
    expect(profile.body).toMatchObject({
      id: '1',
      state: 'active',
      profile: { firstName: 'Vera', lastName: 'Orlova' },
      observedAt: '2026-11-18T11:06:40.000Z',
      degree: 2,
      triangles: 1,
      localClustering: 1,
    });

    expect(await first.end('SIGTERM')).toBe(0);
    const second = await startWriter();
    expect((await second.get(summaryPath(), token)).body).toMatchObject(figures);
    const later = await publish([person('4', ['1'])].map((change) => ({ ...change, version: 2 })));
    await eventually(async () => (await second.get(summaryPath(later), token)).status === 200, WITHIN);
    const after = await second.get(summaryPath(later), token);
    expect(after.body).toMatchObject({ users: 4, friendships: 4, components: { count: 1, largest: 4 } });
  });

  it('has one writer; when it is killed another takes over and goes on from the same figures', async () => {
    const first = await startWriter();
    const second = await start();
    await publish([person('1', ['2']), person('2', [])]);
    await eventually(async () => (await second.get(summaryPath(), token)).body['friendships'] === 1, WITHIN);
    expect(await second.metric('projector_writer')).toBe(0);
    await first.end('SIGKILL');
    const at = await publish([person('3', ['1', '2'])]);
    await eventually(async () => (await second.get(summaryPath(at), token)).status === 200, WITHIN);
    expect((await second.get(summaryPath(at), token)).body).toMatchObject({
      users: 3,
      friendships: 3,
      triangles: 1,
    });
    expect(await second.metric('projector_writer')).toBe(1);
  });

  it('announces input positions from the source header, also where nothing changed', async () => {
    const projector = await startWriter();
    const key = recordKey(workspace, network, 'user', '1');
    const partition = partitionOf(key);
    const source = { [TOPICS.users.name]: { [partition]: 0 }, [TOPICS.friendLists.name]: { [partition]: 0 } };
    await publisher.publish([
      {
        message: inputMarked,
        key: markerKey(partition),
        partition,
        value: { partition },
        headers: { [EVENT_HEADERS.inputPositions]: JSON.stringify(source) },
      },
      { message: vertexChanged, key, value: person('1', []) },
    ]);
    const profile = `/v1/profiles/${network}/1`;
    await eventually(async () => (await projector.get(profile, token)).status === 200, WITHIN);
    expect((await projector.get(`${profile}?min-position=${encodePositions(source)}`, token)).status).toBe(
      200,
    );
  });

  it('rebuilds while reads are served, and recounts a graph that somebody changed in the store', async () => {
    const projector = await startWriter();
    const at = await publish([person('1', ['2', '3']), person('2', ['3']), person('3', [])]);
    await eventually(async () => (await projector.get(summaryPath(at), token)).status === 200, WITHIN);
    const statuses = new Set<number>();
    let reading = true;
    const reader = (async () => {
      while (reading) {
        statuses.add((await projector.get(`/v1/profiles/${network}/1`, token)).status);
        statuses.add((await projector.get(summaryPath(at), token)).status);
        // Answers from memory leave no pause of their own: the rebuild shares the process.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const said = await projector.rebuild();
    reading = false;
    await reader;
    expect(said).toMatch(/Swapped after .* s, all rows written after/);
    expect([...statuses]).toEqual([200]);
    expect(await projector.metric('projector_rebuilds_total')).toBe(1);
    const later = await publish([person('3', ['4'], 2), person('4', [])]);
    await rowsAt(projector, later);
    const summary = await projector.get(summaryPath(later), token);
    expect(summary.body).toMatchObject({ users: 4, friendships: 4, triangles: 1 });

    const row = `${workspace}.${network}.2`;
    await views.changeProfile(row, { degree: 99 });
    // Whoever writes answers from memory.
    expect((await projector.get(`/v1/profiles/${network}/2`, token)).body['degree']).toBe(2);
    const path = `/v1/graphs/${network}/recounts`;
    const recounted = async (): Promise<unknown> => {
      const asked = await projector.get(path, token, 'POST');
      expect([asked.status, asked.body['state']]).toEqual([202, 'waiting']);
      const watch = asked.headers.get('location')!;
      await eventually(async () => (await projector.get(watch, token)).body['state'] === 'done', WITHIN);
      return (await projector.get(watch, token)).body['outcome'];
    };
    expect(await recounted()).toMatchObject({
      equal: false,
      users: 4,
      friendships: 4,
      differences: [{ what: 'rows of people', kept: '1', ids: ['2'] }],
    });
    expect(await projector.metric('projector_recount_differences')).toBe(1);
    await eventually(async () => (await views.degreeInStore(row)) === 2, WITHIN);
    expect(await recounted()).toMatchObject({ equal: true, differences: [] });
    expect(await projector.metric('projector_recount_differences')).toBe(0);
    const once = { 'idempotency-key': unique('key') };
    const first = await projector.post(path, token, undefined, once);
    await eventually(
      async () => (await projector.get(first.headers.get('location')!, token)).body['state'] === 'done',
      WITHIN,
    );
    // Without the key a new one would begin: the one before is done.
    expect((await projector.post(path, token, undefined, once)).body).toEqual(first.body);
    expect((await projector.get(`${path}/none`, token)).status).toBe(404);
    expect((await projector.get('/v1/graphs/unknown/recounts', token, 'POST')).status).toBe(404);
  });

  it('shows groups and posts, searches, ranks, and analyses in a thread', async () => {
    const projector = await startWriter();
    const stamp = { observedAt: 1_795_000_000_000, fence: 1 };
    const beside = { workspaceId: workspace, network, version: 1, changedAt: 1 };
    const content = { ownerKind: 'user' as const, ownerId: '1', publishedAt: 1_794_990_000_000 };
    const groups = { ids: ['77', '78'], complete: true, ...stamp };
    const at = await publish([
      { ...person('1', ['2', '3']), groups },
      person('2', ['3']),
      person('3', ['4']),
      person('4', []),
      {
        ...beside,
        kind: 'group',
        id: '77',
        group: { state: 'active', profile: { name: 'Chess' }, ...stamp },
      },
      {
        ...beside,
        kind: 'post',
        id: '1_5',
        post: { content: { ...content, text: 'Первый снег' }, ...stamp },
      },
    ]);
    await rowsAt(projector, at);
    const get = async (path: string): Promise<Record<string, unknown>> =>
      (await projector.get(`/v1/${path}`, token)).body;
    expect(await get(`profiles/${network}/1?min-position=${encodePositions(at)}`)).toMatchObject({
      groups: { total: 2, first: [{ id: '77', name: 'Chess' }, { id: '78' }] },
      pages: { total: 0, first: [] },
      lastPosts: [{ id: '1_5', text: 'Первый снег' }],
    });
    const ranking = `graphs/${network}/rankings/degree`;
    const first = await get(`${ranking}?limit=3`);
    expect(first).toMatchObject({
      total: 4,
      items: [{ id: '3', rank: 1, degree: 3 }, { id: '1' }, { id: '2' }],
    });
    expect(await get(`${ranking}?limit=3&cursor=${String(first['next'])}`)).toMatchObject({
      items: [{ id: '4', rank: 4, degree: 1, name: 'Vera Orlova' }],
      next: null,
    });
    const search = `graphs/${network}/search`;
    const people = await get(`${search}?q=ORL%20ver&limit=3`);
    expect((people['items'] as { person: { id: string } }[]).map(({ person: { id } }) => id)).toEqual([
      '1',
      '2',
      '3',
    ]);
    expect(await get(`${search}?q=orl%20ver&limit=3&cursor=${String(people['next'])}`)).toMatchObject({
      items: [{ person: { id: '4', name: expect.arrayContaining([{ text: 'Orl', match: true }]) } }],
      next: null,
    });
    expect(await get(`${search}?in=posts&q=${encodeURIComponent('сне')}`)).toMatchObject({
      items: [
        {
          post: {
            id: '1_5',
            ownerId: '1',
            snippet: [{ text: 'Первый ' }, { text: 'сне', match: true }, { text: 'г' }],
          },
        },
      ],
    });
    for (const [path, field] of [
      [`${search}?q=%20`, 'q'],
      [search, 'q'],
      [`${search}?q=a&in=groups`, 'in'],
      [`${search}?q=a&cursor=eA`, 'cursor'],
      [`${ranking}?cursor=eA`, 'cursor'],
      [`${ranking}?limit=201`, 'limit'],
      [`graphs/${network}/rankings/fame`, 'by'],
    ] as const)
      expect([path, (await get(path))['status'], (await get(path))['errors']]).toMatchObject([
        path,
        400,
        [{ field }],
      ]);
    expect((await get('graphs/unknown/search?q=a'))['status']).toBe(404);

    const jobs = `/v1/graphs/${network}/jobs`;
    const once = { 'idempotency-key': unique('key') };
    const asked = await projector.post(jobs, token, { kind: 'communities', seed: 3 }, once);
    expect([asked.status, asked.body['kind']]).toEqual([202, 'communities']);
    const again = await projector.post(jobs, token, { seed: 3, kind: 'communities' }, once);
    expect([again.status, again.body, again.headers.get('location')]).toEqual([
      202,
      asked.body,
      asked.headers.get('location'),
    ]);
    const other = await projector.post(jobs, token, { kind: 'k-core' }, once);
    expect([other.status, other.body['code']]).toEqual([422, 'REQUEST.KEY_REUSED']);
    const watch = asked.headers.get('location')!;
    await eventually(async () => (await projector.get(watch, token)).body['state'] === 'done', WITHIN);
    expect((await projector.get(watch, token)).body).toMatchObject({
      progress: 1,
      people: 4,
      friendships: 4,
    });
    const result = (await projector.get(`${watch}/result`, token)).body['items'] as { size: number }[];
    expect(result.reduce((sum, { size }) => sum + size, 0)).toBe(4);
    const members = (await projector.get(`${watch}/communities/1/members`, token)).body;
    expect(members).toMatchObject({ size: result[0]!.size });
    expect((await projector.get(`${watch}/communities/9/members`, token)).status).toBe(404);
    expect((await projector.post(jobs, token, { kind: 'fame' })).status).toBe(400);
    expect((await projector.post(`${watch}/cancel`, token, {})).status).toBe(409);
  });

  it('refuses what no reader may ask for, naming the field', async () => {
    const projector = await start();
    const beyond = await projector.get(summaryPath({ [CHANGES]: { '0': 999_999_999 } }), token);
    expect([beyond.status, beyond.body['code']]).toEqual([422, 'VIEWS.POSITION_BEYOND_END']);
    const malformed = await projector.get(`/v1/graphs/${network}/summary?min-position=%21`, token);
    expect([malformed.status, malformed.body['errors']]).toEqual([
      400,
      [{ field: 'min-position', message: 'is not a position token' }],
    ]);
    expect((await projector.get(summaryPath(), token)).status).toBe(404);
    expect((await projector.get(`/v1/profiles/${network}/1`, token)).status).toBe(404);
    expect((await projector.get(`/v1/graphs/NO_NETWORK/summary`, token)).body['errors']).toMatchObject([
      { field: 'network' },
    ]);
    expect((await projector.get(`/v1/profiles/${network}/a%20b`, token)).status).toBe(400);
    expect((await projector.get(summaryPath(), 'no-token')).status).toBe(401);
  });
});

/** The workspace that the token is for; it is verified by the service, not here. */
function workspaceOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<
    string,
    string
  >;
  return claims['workspace_id']!;
}

type Change = PayloadOf<typeof vertexChanged>;
