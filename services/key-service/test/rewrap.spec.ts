import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { Postgres } from '@sociograph/postgres';
import { EnvelopeVault } from '../src/infrastructure/envelope-vault';
import { LocalKms } from '../src/infrastructure/local-kms';
import { PostgresDataKeys, PostgresKeyCatalogue } from '../src/infrastructure/postgres-pool-store';
import { eventually, startTokenIssuer, type TokenIssuer } from '@sociograph/testing';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(90_000);

const program = join(__dirname, '../dist/rewrap.js');

describe('keys:rewrap', () => {
  let issuer: TokenIssuer;
  let fleet: KeyServiceFleet;
  let worker: Postgres;

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    fleet = await startKeyService({ OIDC_ISSUER: issuer.issuer, OIDC_JWKS_URL: issuer.jwksUrl });
    worker = new Postgres({ url: fleet.config.DATABASE_URL_WORKER, max: 2, logger: console });
  });

  afterAll(async () => {
    await worker?.end();
    await fleet?.close();
    await issuer?.close();
  });

  function rewrap(...options: string[]): Promise<{ stdout: string }> {
    const { DATABASE_URL_WORKER, KMS_MASTER_KEY_FILE } = fleet.config;
    return promisify(execFile)(process.execPath, [program, ...options], {
      env: { DATABASE_URL_WORKER, KMS_MASTER_KEY_FILE, LOG_LEVEL: 'warn', PATH: process.env['PATH'] },
    });
  }

  async function tokens(): Promise<string[]> {
    const vault = new EnvelopeVault({
      kms: new LocalKms(fleet.config.KMS_MASTER_KEY_FILE as string),
      dataKeys: new PostgresDataKeys(worker),
      clock: new SystemClock(),
      ids: new TimeOrderedIds(),
    });
    const { keys } = await new PostgresKeyCatalogue(worker).changedSince(0);
    const opened = keys.map(async ({ key, token }) => {
      const { workspaceId, id, tokenVersion } = key.details;
      return (await vault.open(token, { workspaceId, keyId: id, tokenVersion })).reveal();
    });
    return (await Promise.all(opened)).sort();
  }

  it('puts everything under a new master key while leases are granted', async () => {
    const authorization = `Bearer ${issuer.token({ roles: ['operator'] })}`;
    const made = Array.from({ length: 5 }, () => `vk1.a.${randomBytes(12).toString('hex')}`).sort();
    for (const token of made) {
      const answer = await fetch(`${fleet.url}/v1/keys`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ network: 'vk', kind: 'user', token, consent: { givenBy: 'Ada' } }),
      });
      expect(answer.status).toBe(201);
    }
    const client = await fleet.client();
    await client.open();
    const acquire = () =>
      client.acquire({
        ...{ workspaceId: 'demo', network: 'vk', importId: 'i1', timeoutMs: 10_000 },
        methods: { 'friends.get': 1 },
      });
    // A pool that has just begun grants nothing for a moment.
    await eventually(async () => expect((await acquire()).kind).toBe('granted'), {
      timeoutMs: 20_000,
      everyMs: 200,
    });
    let working = true;
    const verdicts: string[] = [];
    const leasing = (async () => {
      while (working) {
        const verdict = await acquire();
        verdicts.push(verdict.kind === 'granted' ? 'granted' : verdict.reason);
      }
    })();
    const file = fleet.config.KMS_MASTER_KEY_FILE as string;
    const before = readFileSync(file, 'utf8').trim();
    const { stdout } = await rewrap('--new-master-key', '--tokens', '--drop-old');
    working = false;
    await leasing;
    expect(verdicts.length).toBeGreaterThan(10);
    expect(new Set(verdicts)).toEqual(new Set(['granted']));
    expect(stdout).toContain('5 tokens were sealed anew.');
    expect(stdout).toContain('1 older master keys were taken out');
    const after = readFileSync(file, 'utf8').trim();
    expect(after.split('\n')).toHaveLength(1);
    expect(after).not.toBe(before);
    expect(await tokens()).toEqual(made);
    // A second run finds nothing to do; services that go on register and lease as before.
    expect((await rewrap()).stdout).toContain('0 of them were not before');
    const late = `vk1.a.${randomBytes(12).toString('hex')}`;
    const answer = await fetch(`${fleet.url}/v1/keys`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ network: 'vk', kind: 'user', token: late, consent: { givenBy: 'Ada' } }),
    });
    expect(answer.status).toBe(201);
    expect(await tokens()).toContain(late);
  });

  it('says what it can do', async () => {
    const help = await rewrap('--help');
    expect(help.stdout).toBe('');
    await expect(rewrap('--everything')).rejects.toMatchObject({ code: 2 });
  });
});
