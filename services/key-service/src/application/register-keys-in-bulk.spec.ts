import { SystemRandomness, type WorkspaceId } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { PlainKms } from '../../test/plain-kms';
import { EnvelopeVault } from '../infrastructure/envelope-vault';
import { InMemoryDataKeys } from '../infrastructure/in-memory';
import { InMemoryApiKeys } from '../infrastructure/in-memory-api-keys';
import { type DescribedKey, KeyRegistrar } from './register-key';
import { BulkRegistrar, type UploadedRow } from './register-keys-in-bulk';
import { TokenSealer } from './seal-tokens';

const actor = { kind: 'person' as const, id: 'ada' };
const known = [{ field: 'token', message: 'is registered already' }];

function setUp() {
  const keys = new InMemoryApiKeys();
  const clock = fakeClock();
  const ids = sequentialIds();
  const kms = new PlainKms();
  const vault = new EnvelopeVault({ kms, dataKeys: new InMemoryDataKeys(), clock, ids });
  let refreshes = 0;
  const refresh = async (): Promise<void> => {
    refreshes += 1;
    throw new Error('the pool is away');
  };
  const registrar = new KeyRegistrar(
    keys,
    new TokenSealer(vault, clock, new SystemRandomness()),
    clock,
    ids,
    refresh,
  );
  const bulk = new BulkRegistrar(registrar, keys, refresh);
  const register = (rows: UploadedRow[]) =>
    bulk.register({ workspaceId: 'demo' as WorkspaceId, rows, actor, correlationId: 'c' });
  return { keys, kms, register, refreshes: () => refreshes };
}

function row(number: number, details: Partial<DescribedKey> = {}): UploadedRow {
  const token = `vk1.a.token-${number}`;
  return {
    row: number,
    described: { network: 'vk', kind: 'user', token, consent: { givenBy: 'Ada' }, ...details },
  };
}

describe('registering many keys', () => {
  it('keeps each and answers in the order of the rows', async () => {
    const { keys, register, refreshes } = setUp();
    const verdicts = await register([row(1), row(2, { label: 'second' })]);
    expect(verdicts).toEqual([
      { row: 1, id: expect.any(String) },
      { row: 2, id: expect.any(String) },
    ]);
    const second = await keys.find('demo', (verdicts[1] as { id: string }).id);
    expect(second?.details).toMatchObject({ label: 'second', workspaceId: 'demo' });
    expect(keys.notes).toEqual([
      { actor, action: 'key.register', correlationId: 'c' },
      { actor, action: 'key.register', correlationId: 'c' },
    ]);
    expect(refreshes()).toBe(1);
  });

  it('lets a bad row stop none of the others', async () => {
    const { keys, register } = setUp();
    const unread = { row: 3, errors: [{ field: 'kind', message: 'must be one of user' }] };
    const verdicts = await register([row(1, { token: 'short' }), row(2), unread, row(4, { weight: 0 })]);
    expect(verdicts).toEqual([
      {
        row: 1,
        errors: [{ field: 'token', message: 'must be 8 to 2048 printable characters without spaces' }],
      },
      { row: 2, id: expect.any(String) },
      unread,
      { row: 4, errors: [{ field: 'weight', message: 'must be a whole number from 1 to 100' }] },
    ]);
    expect(keys.since(0).keys).toHaveLength(1);
  });

  it('takes a token once: of the pool, and of the upload', async () => {
    const { register } = setUp();
    await register([row(1)]);
    const verdicts = await register([row(1), row(2), row(3, { token: 'vk1.a.token-2' })]);
    expect(verdicts).toEqual([
      { row: 1, errors: known },
      { row: 2, id: expect.any(String) },
      { row: 3, errors: known },
    ]);
  });

  it('keeps many in portions', async () => {
    const { keys, register } = setUp();
    const portions: number[] = [];
    const addMany = keys.addMany.bind(keys);
    keys.addMany = (sealed, note) => {
      portions.push(sealed.length);
      return addMany(sealed, note);
    };
    const verdicts = await register(Array.from({ length: 501 }, (_, index) => row(index + 1)));
    expect(verdicts.map((verdict) => verdict.row)).toEqual(
      Array.from({ length: 501 }, (_, index) => index + 1),
    );
    expect(verdicts.every((verdict) => 'id' in verdict)).toBe(true);
    expect(portions).toEqual([500, 1]);
    await register([]);
    expect(portions).toEqual([500, 1]);
  });

  it('fails as a whole when tokens cannot be sealed', async () => {
    const { keys, kms, register } = setUp();
    kms.away = true;
    await expect(register([row(1)])).rejects.toMatchObject({ code: 'KEY_POOL.VAULT_UNAVAILABLE' });
    expect(keys.since(0).keys).toEqual([]);
  });
});
