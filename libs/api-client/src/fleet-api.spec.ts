import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FleetApi } from './fleet-api';

const COUNTERS = {
  people: { known: 0, done: 0 },
  lists: { known: 0, done: 0 },
  calls: { made: 0 },
  friendshipObservations: 0,
};

/** One server plays the token endpoint, the gateway (/v1) and the simulator. */
describe('the API of a fleet with a simulator', () => {
  let server: Server;
  let api: FleetApi;
  let seen: { request: string; body: string }[];
  let answers: Record<string, { status?: number; body: unknown }[]>;

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const name = `${request.method} ${request.url}`;
        if (request.url === '/token')
          return response.end(JSON.stringify({ access_token: 't', expires_in: 60 }));
        seen.push({ request: name, body });
        const answer = answers[name]?.shift() ?? { body: {} };
        return response.writeHead(answer.status ?? 200).end(JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    api = new FleetApi({
      gatewayUrl: url,
      simulatorUrl: url,
      tokenUrl: `${url}/token`,
      clientId: 'c',
      clientSecret: 's',
    });
  });
  beforeEach(() => {
    seen = [];
    answers = {};
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('registers each key with the consent of the simulator, in their order', async () => {
    await api.registerKeys(['a', 'b']);
    const key = { network: 'vk', kind: 'user', consent: { givenBy: 'the simulator' } };
    expect(seen.map(({ request, body }) => [request, JSON.parse(body) as object])).toEqual([
      ['POST /v1/keys', { ...key, token: 'a', label: "simulator's key 1" }],
      ['POST /v1/keys', { ...key, token: 'b', label: "simulator's key 2" }],
    ]);
  });

  it('knows seeds as the API wants them', async () => {
    answers = {
      'GET /seeds': [{ body: { seeds: [1, 20] } }],
      'GET /seeds?reachable=1': [{ body: { seeds: [3] } }],
    };
    expect(await api.seeds()).toEqual(['1', '20']);
    expect(await api.seeds(true)).toEqual(['3']);
  });

  it.each([
    [{ seeds: ['1'] }, { network: 'vk', seeds: ['1'], include: ['friends'] }],
    [
      { seeds: ['1'], depth: 2, include: ['walls'] },
      { network: 'vk', seeds: ['1'], depth: 2, include: ['walls'] },
    ],
  ])('starts an import of %j', async (order, body) => {
    answers = { 'POST /v1/imports': [{ status: 202, body: { id: 'i' } }] };
    expect(await api.startImport(order)).toEqual({ id: 'i' });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual(body);
  });

  it('waits for the end of an import whatever the fleet answers meanwhile', async () => {
    const view = { id: 'i', counters: COUNTERS, frontierClosed: true };
    answers = {
      'GET /v1/imports/i': [
        { body: { ...view, state: 'running' } },
        { status: 500, body: { detail: 'no' } },
        { body: { ...view, state: 'cancelled' } },
      ],
    };
    expect((await api.ended('i', { everyMs: 1 })).state).toBe('cancelled');
  });

  it('says how far the import was, or what failed, when the time is up', async () => {
    answers = { 'GET /v1/imports/i': [{ body: { state: 'running' } }], 'GET /v1/imports/j': [] };
    await expect(api.ended('i', { timeoutMs: 0, everyMs: 1 })).rejects.toThrow('still running after 0 s');
    answers = { 'GET /v1/imports/j': [{ status: 404, body: { detail: 'no such import' } }] };
    await expect(api.ended('j', { timeoutMs: 0, everyMs: 1 })).rejects.toThrow('no such import');
  });

  it('asks for the summary as of the end of the import', async () => {
    answers = { 'GET /v1/graphs/vk/summary?min-position=a%2Bb': [{ body: { users: 4 } }] };
    const view = { id: 'i', state: 'completed' as const, counters: COUNTERS, frontierClosed: true };
    expect(await api.summaryAfter({ ...view, positions: 'a+b' })).toEqual({ users: 4 });
  });

  it('reads certificates and statistics, and changes the simulator once', async () => {
    answers = {
      'GET /v1/imports/i%2F/certificate': [{ body: { final: true } }],
      'GET /stats': [{ body: { totals: {} } }],
      'POST /reset': [{ status: 503, body: { error: 'not now' } }],
    };
    expect(await api.certificate('i/')).toEqual({ final: true });
    expect(await api.stats()).toEqual({ totals: {} });
    await expect(api.tell('/reset')).rejects.toThrow("the simulator's /reset answered 503");
    expect(seen.filter(({ request }) => request === 'POST /reset')).toHaveLength(1);
  });
});
