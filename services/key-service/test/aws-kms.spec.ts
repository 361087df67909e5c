import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { Secret } from '@sociograph/kernel';
import { fakeClock, type MotoServer, sequentialIds, startMoto } from '@sociograph/testing';
import { AwsKms } from '../src/infrastructure/aws-kms';
import { EnvelopeVault } from '../src/infrastructure/envelope-vault';
import { InMemoryDataKeys } from '../src/infrastructure/in-memory';

jest.setTimeout(300_000);

const CONTEXT = { workspace: 'demo', purpose: 'tokens' };
const REGION = 'eu-central-1';
const AGE = 300_000;

describe('AWS KMS, as an emulator that others wrote has it', () => {
  let moto: MotoServer;
  let aws: KMSClient;
  let keyId: string;
  let kms: AwsKms;

  beforeAll(async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'spec';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'spec';
    moto = await startMoto();
    aws = new KMSClient({ region: REGION, endpoint: moto.url });
    keyId = await aKey();
    kms = kmsOf({ keyId });
  });

  afterAll(async () => {
    aws?.destroy();
    await moto?.stop();
  });

  async function aKey(): Promise<string> {
    const { KeyMetadata } = await aws.send(new CreateKeyCommand({}));
    return KeyMetadata?.KeyId as string;
  }

  function kmsOf(options: { keyId: string; olderKeyIds?: string[] }): AwsKms {
    return new AwsKms({ ...options, region: REGION, endpoint: moto.url });
  }

  it('makes data keys and opens them again', async () => {
    const { plain, wrapped } = await kms.generateDataKey(CONTEXT);
    expect(plain).toHaveLength(32);
    expect(wrapped.includes(plain)).toBe(false);
    expect(await kms.unwrap(wrapped, CONTEXT)).toEqual(plain);
    expect(await kms.isNewest(wrapped, CONTEXT)).toBe(true);
    expect(await kms.unwrap(await kms.wrap(plain, CONTEXT), CONTEXT)).toEqual(plain);
  });

  it('opens nothing in another context, and nothing that was changed', async () => {
    const { wrapped } = await kms.generateDataKey(CONTEXT);
    const broken = { code: 'KEY_POOL.SEAL_BROKEN', kind: 'bug' };
    await expect(kms.unwrap(wrapped, { ...CONTEXT, workspace: 'other' })).rejects.toMatchObject(broken);
    const changed = Buffer.from(wrapped);
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    await expect(kms.unwrap(changed, CONTEXT)).rejects.toMatchObject(broken);
  });

  it('changes the key: the older one still opens, and new keys are wrapped under the newest', async () => {
    const before = await kms.generateDataKey(CONTEXT);
    const both = kmsOf({ keyId: await aKey(), olderKeyIds: [keyId] });
    expect(await both.unwrap(before.wrapped, CONTEXT)).toEqual(before.plain);
    expect(await both.isNewest(before.wrapped, CONTEXT)).toBe(false);
    const after = await both.wrap(before.plain, CONTEXT);
    expect(await both.isNewest(after, CONTEXT)).toBe(true);
    await expect(kms.unwrap(after, CONTEXT)).rejects.toMatchObject({ code: 'KEY_POOL.VAULT_UNAVAILABLE' });
  });

  it('says that the key is switched off', async () => {
    // moto leaves a disabled key working; this is the answer that the API reference has for one.
    const server = createServer((_, answer) => {
      answer.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
      answer.end(JSON.stringify({ __type: 'DisabledException', message: `${keyId} is disabled.` }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const disabled = new AwsKms({ keyId, region: REGION, endpoint });
    const refusal = {
      code: 'KEY_POOL.VAULT_UNAVAILABLE',
      kind: 'unavailable',
      message: expect.stringContaining('is switched off'),
      facts: { said: 'DisabledException' },
    };
    await expect(disabled.generateDataKey(CONTEXT)).rejects.toMatchObject(refusal);
    await expect(disabled.unwrap(Buffer.alloc(9), CONTEXT)).rejects.toMatchObject(refusal);
    await new Promise((resolve) => server.close(resolve));
  });

  it('is done without until what is in memory has its age, and never with plain text', async () => {
    const clock = fakeClock();
    const dataKeys = new InMemoryDataKeys();
    const vault = new EnvelopeVault({ kms, dataKeys, clock, ids: sequentialIds() });
    const binding = { workspaceId: 'demo', keyId: 'k1', tokenVersion: 1 };
    const sealed = await vault.seal(new Secret('vk1.a.secret-token'), binding);
    expect(Buffer.from(sealed.bytes).includes('secret-token')).toBe(false);
    await moto.stop();
    clock.advance(AGE - 1);
    expect((await vault.open(sealed, binding)).reveal()).toBe('vk1.a.secret-token');
    const again = await vault.seal(new Secret('vk1.a.other-token'), { ...binding, keyId: 'k2' });
    expect(again.dataKeyId).toBe(sealed.dataKeyId);
    clock.advance(AGE);
    const away = { code: 'KEY_POOL.VAULT_UNAVAILABLE', kind: 'unavailable', retryAfterSeconds: 1 };
    await expect(vault.open(sealed, binding)).rejects.toMatchObject(away);
    await expect(vault.seal(new Secret('vk1.a.third-token'), binding)).rejects.toMatchObject(away);
    await expect(vault.seal(new Secret('vk1.a.x'), { ...binding, workspaceId: 'new' })).rejects.toMatchObject(
      away,
    );
  });
});
