import { createCipheriv, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalKms, masterKeyId } from './local-kms';
import { addMasterKey, keepNewestMasterKey } from './master-key-file';

const CONTEXT = { workspace: 'demo', purpose: 'tokens' };

describe('the master key in a file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kms-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function masterKey(
    content = randomBytes(32).toString('base64'),
    mode = 0o600,
    name = 'master.key',
  ): string {
    const file = join(folder, name);
    writeFileSync(file, content, { mode });
    chmodSync(file, mode);
    return file;
  }

  it('wraps data keys and opens them for the same context only, in every process', async () => {
    const file = masterKey();
    const { plain, wrapped } = await new LocalKms(file).generateDataKey(CONTEXT);
    expect(plain).toHaveLength(32);
    expect(wrapped.includes(plain)).toBe(false);
    const again = new LocalKms(file);
    expect(await again.unwrap(wrapped, { purpose: 'tokens', workspace: 'demo' })).toEqual(plain);
    const broken = { code: 'KEY_POOL.SEAL_BROKEN' };
    await expect(again.unwrap(wrapped, { ...CONTEXT, workspace: 'other' })).rejects.toMatchObject(broken);
    await expect(again.unwrap(wrapped.subarray(0, 60), CONTEXT)).rejects.toMatchObject(broken);
    const unknown = Buffer.from(wrapped).fill(9, 0, 1);
    await expect(again.unwrap(unknown, CONTEXT)).rejects.toMatchObject(broken);
    const other = new LocalKms(masterKey(undefined, 0o600, 'other.key'));
    await expect(other.unwrap(wrapped, CONTEXT)).rejects.toMatchObject(broken);
  });

  it('names the master key in what it wraps, and never the key itself', async () => {
    const key = randomBytes(32);
    const kms = new LocalKms(masterKey(key.toString('base64')));
    const wrapped = await kms.wrap(Buffer.alloc(32, 7), CONTEXT);
    expect(wrapped.subarray(1, 9)).toEqual(masterKeyId(key));
    expect(wrapped.includes(key.subarray(0, 8))).toBe(false);
    expect(await kms.unwrap(wrapped, CONTEXT)).toEqual(Buffer.alloc(32, 7));
    expect(await kms.isNewest(wrapped)).toBe(true);
  });

  it('opens what was wrapped before master keys had names', async () => {
    const key = randomBytes(32);
    const iv = randomBytes(12);
    const bound = Buffer.from('[["purpose","tokens"],["workspace","demo"]]');
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(bound);
    const text = Buffer.concat([cipher.update(Buffer.alloc(32, 7)), cipher.final()]);
    const wrapped = Buffer.concat([Buffer.of(1), iv, cipher.getAuthTag(), text]);
    const file = masterKey(key.toString('base64'));
    expect(await new LocalKms(file).unwrap(wrapped, CONTEXT)).toEqual(Buffer.alloc(32, 7));
    expect(await new LocalKms(file).isNewest(wrapped)).toBe(false);
    addMasterKey(file);
    expect(await new LocalKms(file).unwrap(wrapped, CONTEXT)).toEqual(Buffer.alloc(32, 7));
    keepNewestMasterKey(file);
    await expect(new LocalKms(file).unwrap(wrapped, CONTEXT)).rejects.toMatchObject({
      code: 'KEY_POOL.SEAL_BROKEN',
    });
  });

  it('changes while processes run: each wraps under the new one at once and opens both', async () => {
    const file = masterKey();
    const running = new LocalKms(file);
    const before = await running.generateDataKey(CONTEXT);
    addMasterKey(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const other = new LocalKms(file);
    const after = await other.generateDataKey(CONTEXT);
    expect(await running.unwrap(after.wrapped, CONTEXT)).toEqual(after.plain);
    expect(await running.unwrap(before.wrapped, CONTEXT)).toEqual(before.plain);
    expect(await running.isNewest(before.wrapped)).toBe(false);
    expect(await running.isNewest(await running.wrap(before.plain, CONTEXT))).toBe(true);
    expect(keepNewestMasterKey(file)).toBe(1);
    expect(keepNewestMasterKey(file)).toBe(0);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('may lie in a file of its own while the older one is still there', async () => {
    const old = masterKey(undefined, 0o600, 'old.key');
    const before = await new LocalKms(old).generateDataKey(CONTEXT);
    const both = new LocalKms(masterKey(undefined, 0o600, 'new.key'), [old]);
    expect(await both.unwrap(before.wrapped, CONTEXT)).toEqual(before.plain);
    expect(await both.isNewest(before.wrapped)).toBe(false);
    expect(await both.isNewest((await both.generateDataKey(CONTEXT)).wrapped)).toBe(true);
  });

  it('is refused when others than its owner can read it', () => {
    expect(() => new LocalKms(masterKey(undefined, 0o644))).toThrow('mode 0600');
    expect(() => new LocalKms(masterKey(undefined, 0o640))).toThrow('mode 0600');
    const old = masterKey(undefined, 0o604, 'old.key');
    expect(() => new LocalKms(masterKey(), [old])).toThrow('mode 0600');
  });

  it('is refused when it is no key of 32 bytes', () => {
    expect(() => new LocalKms(masterKey('c2hvcnQ='))).toThrow('32 bytes');
    expect(() => new LocalKms(masterKey(''))).toThrow('32 bytes');
  });
});
