import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalKms } from './local-kms';

const CONTEXT = { workspace: 'demo', purpose: 'tokens' };

describe('the local KMS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-'));
  const file = join(folder, 'master.key');

  beforeEach(() => {
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('opens the data keys that it made, in the same context, whatever the order of its fields', async () => {
    const { plain, wrapped } = await new LocalKms(file).generateDataKey(CONTEXT);
    expect(plain).toHaveLength(32);
    expect(wrapped).toHaveLength(61);
    expect(wrapped.includes(plain)).toBe(false);
    const other = new LocalKms(file);
    expect(await other.unwrap(wrapped, { purpose: 'tokens', workspace: 'demo' })).toEqual(plain);
  });

  it('opens nothing in another context, of another master key, or that was changed', async () => {
    const kms = new LocalKms(file);
    const { wrapped } = await kms.generateDataKey(CONTEXT);
    const broken = { code: 'KEY_POOL.SEAL_BROKEN' };
    await expect(kms.unwrap(wrapped, { ...CONTEXT, workspace: 'other' })).rejects.toMatchObject(broken);
    await expect(kms.unwrap(wrapped.subarray(0, 60), CONTEXT)).rejects.toMatchObject(broken);
    await expect(kms.unwrap(Buffer.from(wrapped).fill(2, 0, 1), CONTEXT)).rejects.toMatchObject(broken);
    writeFileSync(file, randomBytes(32).toString('base64'));
    await expect(new LocalKms(file).unwrap(wrapped, CONTEXT)).rejects.toMatchObject(broken);
  });

  it('refuses a file that others can read, and one that holds no key', () => {
    chmodSync(file, 0o640);
    expect(() => new LocalKms(file)).toThrow('KMS_MASTER_KEY_FILE can be read by others');
    chmodSync(file, 0o600);
    writeFileSync(file, 'c2hvcnQ=');
    expect(() => new LocalKms(file)).toThrow('KMS_MASTER_KEY_FILE must hold 32 bytes');
  });
});
