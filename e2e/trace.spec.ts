import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { demoToken, eventually } from '@sociograph/testing';
import { Fleet, fromStack, native, useWorkspace } from './fleet';
import { pathTo, readSpans, readTrace, type KeptSpan } from './read-trace';

jest.setTimeout(300_000);

const EGO_FACEBOOK = join(__dirname, '../infra/vk-simulator/data/ego-facebook.txt.gz');
/** Of the graph; with 11 friends, so that one call brings all there is. */
const SEED = '987';
/** Of another circle of it. */
const OTHER_SEED = '100';

describe('the trace of one request', () => {
  const correlationId = `trace-${randomUUID()}`;
  let spans: KeptSpan[];
  let importId: string;
  let token: string;

  beforeAll(async () => {
    await useWorkspace(`e2e-${randomUUID().slice(0, 8)}`);
    const fleet = await Fleet.up(EGO_FACEBOOK, { keys: 4 });
    await fleet.registerKeys();
    // The first lease of a fleet may take longer than a call waits; one that is put back goes on in a trace of its own.
    await fleet.completed((await fleet.api.startImport({ seeds: [OTHER_SEED], depth: 1 })).id, 120_000);
    token = await demoToken();
    const answer = await fetch(`${fromStack('GATEWAY_URL')}/v1/imports`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'x-correlation-id': correlationId,
      },
      body: JSON.stringify({ network: 'vk', seeds: [SEED], depth: 1 }),
    });
    expect(answer.status).toBe(202);
    ({ id: importId } = (await answer.json()) as { id: string });
    await fleet.completed(importId, 120_000);
    // Each process sends its spans once a second.
    await eventually(
      () => {
        spans = readTrace(correlationId);
        expect(spans.map(({ name }) => name)).toContain('project changes');
        expect(spans.map(({ name }) => name)).toContain('call vk');
        expect(beginnings()).toEqual(['gateway POST parser-service.v1-imports.post']);
        expect(spans.map(({ service }) => service)).toContain('key-service-0');
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
  });

  /** Spans whose parent is not here, as `process name`. */
  const beginnings = (): string[] => {
    const ids = new Set<string | undefined>(spans.map(({ spanId }) => spanId));
    return spans
      .filter(({ parentSpanId }) => !ids.has(parentSpanId))
      .map(({ service, name }) => `${service} ${name}`);
  };
  const named = (name: string): KeptSpan[] => spans.filter((span) => span.name === name);
  const toTheCall = [
    'gateway server POST parser-service.v1-imports.post',
    'parser-service-0 server POST /v1/imports',
    'parser-service-0 internal dispatch call',
    'parser-service-0 producer publish sociograph.calls.vk',
    'parser-service-0 consumer task sociograph.calls.vk',
  ];

  it('leads from the gateway through RabbitMQ, worker and Kafka to the storage and the projector', () => {
    const paths = named('project changes').map((span) => pathTo(span, spans));
    const fromTopic = (topic: string): string[] => [
      ...toTheCall,
      `parser-service-0 producer publish ${topic}`,
      'graph-storage-service-0 consumer consume graph-storage',
      'graph-storage-service-0 producer publish sociograph.graph.changes.v1',
      'read-model-projector-0 consumer project changes',
    ];
    const topics = ['sociograph.social.users.v1', 'sociograph.social.friend-lists.v1'];
    for (const path of paths) expect(topics.map(fromTopic)).toContainEqual(path);
    expect(paths.length).toBeGreaterThan(0);
  });

  it('shows the lease at key-service and the call of VK under the task', () => {
    expect(named('call vk').map((span) => pathTo(span, spans))).toContainEqual([
      ...toTheCall,
      'parser-service-0 client call vk',
    ]);
    // A slot that was missed is a try of its own before it.
    expect(named('call vk')).toContainEqual(
      expect.objectContaining({
        failed: false,
        attributes: expect.objectContaining({ 'http.response.status_code': 200 }) as object,
      }),
    );
    const served = spans.filter(({ service, kind }) => service === 'key-service-0' && kind === 'server');
    const paths = served.map((span) => pathTo(span, spans));
    expect(paths).toContainEqual([
      ...toTheCall,
      'parser-service-0 client rpc sociograph.leases',
      'key-service-0 server rpc sociograph.leases',
    ]);
  });

  it('has one beginning, and every other span a parent in it', () => {
    expect(beginnings()).toEqual(['gateway POST parser-service.v1-imports.post']);
  });

  it('holds neither tokens nor who it is about', () => {
    const known =
      /^(http\.(request\.method|route|response\.status_code)|messaging\.[a-z._]+|db\.(system|operation)\.name|error\.type|sociograph\.[a-z._]+)$/;
    const keys = [...new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)))];
    expect(keys.filter((key) => !known.test(key))).toEqual([]);
    const texts = spans.flatMap(({ name, attributes }) => [
      name,
      ...Object.values(attributes).filter((value) => typeof value === 'string'),
    ]);
    expect(texts).toContain(importId);
    const telling = texts.filter(
      (text) => text === SEED || /vk1\.|eyJ|Bearer|secret/i.test(text) || text.includes(token),
    );
    expect(telling).toEqual([]);
  });

  it('is printed as a tree for its correlation id, its trace id and its import', async () => {
    const { traceId } = spans[0] as KeptSpan;
    for (const id of [correlationId, traceId, importId]) {
      const printed = await native(['trace', id]);
      expect(printed).toContain(`trace ${traceId}\n`);
      expect(printed).toMatch(/ gateway +POST parser-service\.v1-imports\.post +\(202\)\n/);
      expect(printed).toMatch(/read-model-projector-0 .*└ project changes/);
    }
    await expect(native(['trace', 'nobody-has-this-id'])).rejects.toThrow('No span of "nobody-has-this-id"');
  });
});

describe('the trace of one read', () => {
  /** Of reads one in a hundred is kept: that none of so many is has a chance of 2 in 10^9. */
  const MOST = 2_000;
  const AT_ONCE = 50;

  it('leads from the gateway through the service to the store, and is printed for its correlation id', async () => {
    const prefix = `read-${randomUUID()}`;
    const token = await demoToken();
    let sent = 0;
    const read = async (): Promise<void> => {
      const correlationId = `${prefix}-${sent++}`;
      const headers = { authorization: `Bearer ${token}`, 'x-correlation-id': correlationId };
      const answer = await fetch(`${fromStack('GATEWAY_URL')}/v1/people/vk/${SEED}`, { headers });
      await answer.arrayBuffer();
      expect(answer.status).toBe(200);
    };
    const kept = (): KeptSpan[] =>
      readSpans().filter(({ attributes }) =>
        String(attributes['sociograph.correlation.id']).startsWith(prefix),
      );
    // Spans arrive a second later; those of two processes not at once.
    const [id, spans] = await eventually(
      async () => {
        if (kept().length === 0 && sent < MOST) for (let n = 0; n < AT_ONCE; n += 1) await read();
        const found = String(kept()[0]?.attributes['sociograph.correlation.id']);
        const trace = readTrace(found);
        expect(trace.map(({ name }) => name)).toContain('arangodb read users');
        expect(trace.map(({ service }) => service)).toContain('gateway');
        return [found, trace] as const;
      },
      { timeoutMs: 180_000, everyMs: 1_500 },
    );
    const store = spans.find(({ name }) => name === 'arangodb read users');
    const path = pathTo(store, spans);
    expect(path).toHaveLength(3);
    expect(path[0]).toBe('gateway server GET graph-storage-service.v1-people-network-id.get');
    expect(path[1]).toMatch(/^graph-storage-service-0 server GET \/v1\/people\//);
    expect(path[2]).toBe('graph-storage-service-0 client arangodb read users');
    const printed = await native(['trace', id]);
    expect(printed).toMatch(/ gateway +GET graph-storage-service\.v1-people-network-id\.get +\(200\)\n/);
    expect(printed).toMatch(/graph-storage-service-0 .*└ arangodb read users/);
  });
});
