import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeaseClient, SlotSender } from '@sociograph/lease-client';
import { demoToken, eventually, freePort, ProcessHandle, workspaceOf } from '@sociograph/testing';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(60_000);

const KEYS = 2;
const SECONDS = 15;
const WORKERS = 8;
const SIMULATOR = join(__dirname, '../../../infra/vk-simulator/dist/main.js');

interface Stats {
  totals: { served: number; refused: number; seconds: number };
  eventLoopLagMs: unknown;
}

describe('leasing against a strict sliding window of 3 calls a second, jitter 0-20 ms', () => {
  let fleet: KeyServiceFleet;
  let simulator: ProcessHandle;
  let client: LeaseClient;
  let base: string;
  /** Where the demo's account is at home now: end-to-end specs give it other workspaces. */
  let workspaceId: string;
  const folder = mkdtempSync(join(tmpdir(), 'key-service-'));

  beforeAll(async () => {
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const graph = join(folder, 'graph.txt');
    writeFileSync(graph, '1 2\n2 3\n3 1\n');
    const tokensFile = join(folder, 'tokens.json');
    const args = ['--graph', graph, '--port', String(port), '--keys', String(KEYS), '--jitter', '20'];
    simulator = await new ProcessHandle({
      command: process.execPath,
      args: [SIMULATOR, ...args, '--tokens-file', tokensFile],
    }).start();
    await simulator.waitFor(/keys/);
    fleet = await startKeyService({ separate: true });
    const token = await demoToken();
    workspaceId = workspaceOf(token);
    const authorization = `Bearer ${token}`;
    for (const key of JSON.parse(readFileSync(tokensFile, 'utf8')) as { token: string }[]) {
      const response = await fetch(`${fleet.url}/v1/keys`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({
          network: 'vk',
          kind: 'user',
          token: key.token,
          consent: { givenBy: 'simulator' },
        }),
      });
      expect(response.status).toBe(201);
    }
    client = await fleet.client();
    await eventually(() => client.open(), { timeoutMs: 10_000, everyMs: 100 });
  });

  afterAll(async () => {
    await fleet?.close();
    await simulator?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says how much may be called', async () => {
    await eventually(
      async () => {
        expect(await client.capacity({ workspaceId, network: 'vk' })).toEqual({
          keys: KEYS,
          callsPerSecond: 3 * KEYS,
        });
      },
      { timeoutMs: 10_000, everyMs: 100 },
    );
  });

  it('gives slots for at least 90 % of the quota, and no call is refused', async () => {
    const sender = new SlotSender({ baseUrl: `${base}/method`, client });
    const until = performance.now() + SECONDS * 1000;
    const missed: Record<string, number> = {};
    const work = async (): Promise<void> => {
      while (performance.now() < until) {
        const verdict = await client.acquire({
          workspaceId,
          network: 'vk',
          importId: 'import-1',
          methods: { 'friends.get': 1 },
          timeoutMs: 5_000,
        });
        if (verdict.kind === 'denied') {
          missed[verdict.reason] = (missed[verdict.reason] ?? 0) + 1;
          continue;
        }
        const { lease } = verdict;
        const [slot] = lease.slots;
        const body = new URLSearchParams({
          access_token: lease.token.reveal(),
          v: '5.199',
          user_id: '1',
        }).toString();
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const outcome = await sender.send(slot!, { path: 'friends.get', headers, body, timeoutMs: 5_000 });
        if (outcome.kind === 'missed') {
          missed[outcome.cause] = (missed[outcome.cause] ?? 0) + 1;
          await client.settle(lease, [{ outcome: 'unsent', slot: 0, cause: outcome.cause }]);
        } else if (outcome.kind === 'broken') {
          await client.settle(lease, [
            { outcome: 'broken', slot: 0, sentAt: outcome.sentAt, cause: outcome.cause },
          ]);
        } else {
          const { error } = JSON.parse(outcome.body) as { error?: { error_code: number } };
          const { sentAt, answeredAt, status } = outcome;
          const report = { outcome: 'answered' as const, slot: 0, sentAt, answeredAt, status };
          await client.settle(lease, [{ ...report, ...(error && { error: { code: error.error_code } }) }]);
        }
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    sender.close();
    const stats = (await (await fetch(`${base}/stats`)).json()) as Stats;
    const { served, refused, seconds } = stats.totals;
    const used = served / (KEYS * 3 * seconds);
    process.stdout.write(`${JSON.stringify({ served, refused, used, missed, lag: stats.eventLoopLagMs })}\n`);
    expect(refused).toBe(0);
    // Slots that this process woke up too late for were given: a busy machine loses them, not the pool.
    const given = (served + (missed['too-late'] ?? 0)) / (KEYS * 3 * seconds);
    expect(given).toBeGreaterThanOrEqual(0.9);
  });
});
