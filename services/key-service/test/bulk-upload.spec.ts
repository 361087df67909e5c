import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { eventually, inPostgres, startTokenIssuer, type TokenIssuer } from '@sociograph/testing';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(300_000);

/** The largest upload there may be has 50,000; `BULK_ROWS=50000` tries that one. */
const ROWS = Number(process.env['BULK_ROWS'] ?? 4_000);
/** Every tenth row is wrong, every tenth is a row before once more, every tenth is known to the pool already. */
const KINDS = 10;
const MEGABYTE = 1_048_576;
/** A list of JSON is in memory as text, as objects and as rows; measured with 50,000 rows of 200 bytes. */
const MOST_GROWTH_MB = 350;

interface Verdict {
  row: number;
  id?: string;
  errors?: { field: string; message: string }[];
}

interface BulkAnswer {
  created: number;
  refused: number;
  rows: Verdict[];
}

const unique = (): string => randomBytes(12).toString('hex');

describe('a long upload of keys', () => {
  let issuer: TokenIssuer;
  let fleet: KeyServiceFleet;
  let authorization: string;
  let known: string;

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    const { issuer: OIDC_ISSUER, jwksUrl: OIDC_JWKS_URL } = issuer;
    fleet = await startKeyService({ separate: true, OIDC_ISSUER, OIDC_JWKS_URL });
    authorization = `Bearer ${issuer.token({ roles: ['operator'] })}`;
    known = `vk1.a.known-${unique()}`;
    const { created } = await upload(JSON.stringify([keyOf(known)]), 'application/json');
    expect(created).toBe(1);
  });

  afterAll(async () => {
    await fleet?.close();
    await issuer?.close();
  });

  function keyOf(token: string): Record<string, unknown> {
    return { network: 'vk', kind: 'user', token, label: 'bulk', consent: { givenBy: 'Ada Lovelace' } };
  }

  async function send(body: string, type: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${fleet.url}/v1/keys/bulk`, {
      method: 'POST',
      headers: { authorization, 'content-type': type, ...headers },
      body,
    });
  }

  async function upload(body: string, type: string): Promise<BulkAnswer> {
    const response = await send(body, type);
    expect(response.status).toBe(200);
    return (await response.json()) as BulkAnswer;
  }

  const keys = async (): Promise<number> => {
    const { rows } = await inPostgres(fleet.adminDatabaseUrl, (client) =>
      client.query('SELECT count(*)::int AS count FROM api_keys'),
    );
    return (rows[0] as { count: number }).count;
  };

  /** Tokens of an upload with what their verdicts have to be. */
  function tokens(): { token: string; field: string | undefined }[] {
    const fresh: string[] = [];
    return Array.from({ length: ROWS }, (_, index) => {
      const kind = index % KINDS;
      if (kind === 3) return { token: 'short', field: 'token' };
      if (kind === 5) return { token: fresh.at(-3) as string, field: 'token' };
      if (kind === 7) return { token: known, field: 'token' };
      fresh.push(`vk1.a.bulk-${unique()}`);
      return { token: fresh.at(-1) as string, field: undefined };
    });
  }

  function memoryMb(): number {
    const status = readFileSync(`/proc/${fleet.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  /** The most that the process grows while `work` goes on. */
  async function growthMb(work: () => Promise<void>): Promise<number> {
    const before = memoryMb();
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, memoryMb())), 20);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
    return Math.max(most, memoryMb()) - before;
  }

  it.each(['text/csv', 'application/json'])(
    'of %s gives each row its verdict, in bounded memory',
    async (type) => {
      const rows = tokens();
      const csv = (): string =>
        `network,kind,token,label,consent.givenBy\n${rows.map(({ token }) => `vk,user,${token},bulk,Ada`).join('\n')}\n`;
      const json = (): string => JSON.stringify(rows.map(({ token }) => keyOf(token)));
      const body = type === 'text/csv' ? csv() : json();
      const before = await keys();
      const good = rows.filter(({ field }) => field === undefined).length;
      let answer: BulkAnswer | undefined;
      const growth = await growthMb(async () => {
        answer = await upload(body, type);
      });
      if (process.env['BULK_ROWS'] !== undefined)
        process.stderr.write(`${type}: ${ROWS} rows, ${body.length} bytes, ${Math.round(growth)} MB\n`);
      expect(answer).toMatchObject({ created: good, refused: ROWS - good });
      expect(answer?.rows.map(({ row }) => row)).toEqual(rows.map((_, index) => index + 1));
      expect(answer?.rows.map(({ errors }) => errors?.[0]?.field)).toEqual(rows.map(({ field }) => field));
      const messages = new Set(
        answer?.rows.flatMap(({ errors = [] }) => errors.map(({ message }) => message)),
      );
      expect([...messages].sort()).toEqual(['is registered already', 'must be 8 to 2048 characters']);
      const ids = answer?.rows.flatMap(({ id }) => (id === undefined ? [] : [id]));
      expect(new Set(ids).size).toBe(good);
      expect((await keys()) - before).toBe(good);
      expect(growth).toBeLessThan(MOST_GROWTH_MB);
    },
  );

  it('keeps nothing of an upload that was broken off, and goes on', async () => {
    const before = await keys();
    const body = JSON.stringify(Array.from({ length: 200 }, () => keyOf(`vk1.a.bulk-${unique()}`)));
    await new Promise<void>((resolve) => {
      const headers = { authorization, 'content-type': 'application/json', 'content-length': body.length };
      const upload = request(`${fleet.url}/v1/keys/bulk`, { method: 'POST', headers });
      upload.on('error', () => undefined).on('close', resolve);
      upload.write(body.slice(0, body.length - 100), () => upload.destroy());
    });
    // The service has seen the end of it once it answered somebody who came later.
    expect((await upload(JSON.stringify([keyOf(known)]), 'application/json')).created).toBe(0);
    expect(await keys()).toBe(before);
  });

  it('is finished when nobody waits for its answer any more, which the Idempotency-Key brings back', async () => {
    const before = await keys();
    const rows = Array.from({ length: 1_500 }, () => keyOf(`vk1.a.bulk-${unique()}`));
    const headers = { 'idempotency-key': unique() };
    const body = JSON.stringify(rows);
    const first = new AbortController();
    const lost = fetch(`${fleet.url}/v1/keys/bulk`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', ...headers },
      body,
      signal: first.signal,
    }).catch(() => undefined);
    await eventually(async () => expect(await keys()).toBeGreaterThan(before), {
      timeoutMs: 20_000,
      everyMs: 5,
    });
    first.abort();
    await lost;
    await eventually(
      async () => {
        const response = await send(body, 'application/json', headers);
        expect(response.status).toBe(200);
        expect(response.headers.get('idempotency-replayed')).toBe('true');
        expect(((await response.json()) as BulkAnswer).created).toBe(rows.length);
      },
      { timeoutMs: 30_000, everyMs: 100 },
    );
    expect((await keys()) - before).toBe(rows.length);
  });

  it('is refused above 20 MB, however it says how long it is', async () => {
    const large = 'x'.repeat(20 * MEGABYTE + 1);
    const status = (headers: Record<string, string | number>): Promise<number | undefined> =>
      new Promise((resolve) => {
        const all = { authorization, 'content-type': 'text/csv', ...headers };
        const sent = request(`${fleet.url}/v1/keys/bulk`, { method: 'POST', headers: all });
        sent.on('response', (answer) => resolve(answer.resume().statusCode));
        sent.on('error', () => resolve(undefined));
        sent.end(large);
      });
    for (const headers of [
      { 'content-length': large.length },
      { 'content-length': large.length, 'content-type': 'application/json' },
      { 'transfer-encoding': 'chunked' },
    ]) {
      // Who goes on writing after the answer came may find the connection closed before he reads it.
      await eventually(async () => expect(await status(headers)).toBe(413), {
        timeoutMs: 20_000,
        everyMs: 50,
      });
    }
  });

  it.each(['text/csv', 'application/json'])('of %s is refused above 50,000 rows', async (type) => {
    const before = await keys();
    const row = type === 'text/csv' ? 'vk,user,short,Ada\n' : '{},';
    const many = row.repeat(50_001);
    const body =
      type === 'text/csv' ? `network,kind,token,consent.givenBy\n${many}` : `[${many.slice(0, -1)}]`;
    const response = await send(body, type);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ field: 'body', message: 'must have at most 50000 rows' }],
    });
    expect(await keys()).toBe(before);
  });
});
