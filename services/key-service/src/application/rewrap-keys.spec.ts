import { Secret } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DataKeys,
  SealedStore,
  type SealedToken,
  type StoredToken,
  type WrappedDataKey,
} from '../domain/sealing';
import { contextOf, EnvelopeVault } from '../infrastructure/envelope-vault';
import { LocalKms } from '../infrastructure/local-kms';
import { addMasterKey, keepNewestMasterKey } from '../infrastructure/master-key-file';
import { KeyRewrapper } from './rewrap-keys';

/** Rows of data keys and tokens in memory. */
class Rows extends SealedStore {
  readonly keys = new Map<string, WrappedDataKey>();
  readonly tokens = new Map<string, StoredToken>();
  /** Called before each write. */
  beforeWrite: (id: string) => void = () => undefined;
  writes = 0;

  readonly dataKeysPort = ((rows: Rows): DataKeys => {
    class Port extends DataKeys {
      async oldest(workspaceId: string) {
        return [...rows.keys.values()].find((key) => key.workspaceId === workspaceId);
      }
      async newest(workspaceId: string) {
        return [...rows.keys.values()].filter((key) => key.workspaceId === workspaceId).at(-1);
      }
      async byId(id: string) {
        return rows.keys.get(id);
      }
      async add(key: WrappedDataKey) {
        rows.keys.set(key.id, key);
      }
    }
    return new Port();
  })(this);

  async dataKeys(after: string | undefined, limit: number): Promise<WrappedDataKey[]> {
    const all = [...this.keys.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return all.filter(({ id }) => after === undefined || id > after).slice(0, limit);
  }

  async rewrap(id: string, from: Uint8Array, to: Uint8Array): Promise<boolean> {
    this.beforeWrite(id);
    const known = this.keys.get(id);
    if (known === undefined || !Buffer.from(known.wrapped).equals(Buffer.from(from))) return false;
    this.keys.set(id, { ...known, wrapped: to });
    this.writes += 1;
    return true;
  }

  async tokensNotUnder(workspaceId: string, dataKeyId: string, limit: number): Promise<StoredToken[]> {
    return [...this.tokens.values()]
      .filter(({ binding, sealed }) => binding.workspaceId === workspaceId && sealed.dataKeyId !== dataKeyId)
      .slice(0, limit);
  }

  async reseal(token: StoredToken, to: SealedToken): Promise<boolean> {
    this.beforeWrite(token.place);
    const known = this.tokens.get(token.place);
    if (known?.sealed !== token.sealed) return false;
    this.tokens.set(token.place, { ...token, sealed: to });
    this.writes += 1;
    return true;
  }

  async read(token: StoredToken): Promise<SealedToken | undefined> {
    return this.tokens.get(token.place)?.sealed;
  }
}

async function setUp(tokens = 3) {
  const file = join(mkdtempSync(join(tmpdir(), 'rewrap-')), 'master.key');
  writeFileSync(file, Buffer.alloc(32, 1).toString('base64'), { mode: 0o600 });
  const kms = new LocalKms(file);
  const rows = new Rows();
  const clock = fakeClock();
  const ids = sequentialIds();
  const make = () => new EnvelopeVault({ kms, dataKeys: rows.dataKeysPort, clock, ids });
  const service = make();
  await service.fingerprint('vk', new Secret('any'));
  for (let i = 0; i < tokens; i += 1) {
    const binding = { workspaceId: i % 2 === 0 ? 'demo' : 'other', keyId: `k${i}`, tokenVersion: 1 };
    const sealed = await service.seal(new Secret(`token-${i}`), binding);
    rows.tokens.set(binding.keyId, { place: binding.keyId, sealed, binding });
  }
  const run = (given: { tokens?: boolean; resume?: boolean } = {}) => {
    const options = { tokens: false, resume: false, ...given };
    const vault = make();
    return new KeyRewrapper(rows, rows.dataKeysPort, new LocalKms(file), vault, {
      contextOf,
      newDataKey: (workspaceId) => vault.newDataKey(workspaceId),
    }).run(options);
  };
  const opened = async (vault: EnvelopeVault) =>
    Promise.all([...rows.tokens.values()].map(async (t) => (await vault.open(t.sealed, t.binding)).reveal()));
  return { file, kms, rows, clock, service, make, run, opened };
}

describe('a change of the master key', () => {
  it('puts every data key under the new one, which alone opens everything afterwards', async () => {
    const { file, rows, run, opened, service } = await setUp();
    const print = await service.fingerprint('vk', new Secret('any'));
    expect(await run()).toEqual({ dataKeys: 3, rewrapped: 0, resealed: 0 });
    addMasterKey(file);
    expect(await run()).toEqual({ dataKeys: 3, rewrapped: 3, resealed: 0 });
    expect(keepNewestMasterKey(file)).toBe(1);
    const fresh = new EnvelopeVault({
      kms: new LocalKms(file),
      dataKeys: rows.dataKeysPort,
      clock: fakeClock(),
      ids: sequentialIds(),
    });
    expect(await opened(fresh)).toEqual(['token-0', 'token-1', 'token-2']);
    expect(await fresh.fingerprint('vk', new Secret('any'))).toBe(print);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('goes on where it was broken off', async () => {
    const { file, rows, run } = await setUp();
    addMasterKey(file);
    rows.beforeWrite = () => {
      if (rows.writes === 2) throw new Error('broken off');
    };
    await expect(run()).rejects.toThrow('broken off');
    rows.beforeWrite = () => undefined;
    expect(await run()).toEqual({ dataKeys: 3, rewrapped: 1, resealed: 0 });
    expect(rows.writes).toBe(3);
  });

  it('looks again at what somebody else wrote meanwhile, and at data keys that are made meanwhile', async () => {
    const { file, kms, rows, run } = await setUp();
    addMasterKey(file);
    let first = true;
    rows.beforeWrite = (id) => {
      if (!first) return;
      first = false;
      const known = rows.keys.get(id) as WrappedDataKey;
      rows.keys.set(id, { ...known, wrapped: Buffer.from(known.wrapped).fill(known.wrapped[0] ?? 0, 0, 1) });
      rows.keys.delete(id);
    };
    const late = await kms.generateDataKey(contextOf('late'));
    const report = await run();
    expect(report).toEqual({ dataKeys: 2, rewrapped: 3, resealed: 0 });
    rows.keys.set('z', { id: 'z', workspaceId: 'late', wrapped: late.wrapped, createdAt: 1 });
    expect(await run()).toEqual({ dataKeys: 3, rewrapped: 0, resealed: 0 });
  });

  it('goes through all pages', async () => {
    const { file, kms, rows, run } = await setUp(0);
    for (let i = 0; i < 400; i += 1) {
      const id = `w${String(i).padStart(3, '0')}`;
      const { wrapped } = await kms.generateDataKey(contextOf(id));
      rows.keys.set(id, { id, workspaceId: id, wrapped, createdAt: 1 });
    }
    addMasterKey(file);
    expect(await run()).toEqual({ dataKeys: 401, rewrapped: 401, resealed: 0 });
  });

  it('does not believe a row that was written otherwise', async () => {
    const { file, rows, run } = await setUp();
    addMasterKey(file);
    const rewrap = rows.rewrap.bind(rows);
    rows.rewrap = async (id, from, to) => {
      const done = await rewrap(id, from, to);
      const other = [...rows.keys.values()].find((key) => key.id !== id) as WrappedDataKey;
      rows.keys.set(id, { ...(rows.keys.get(id) as WrappedDataKey), wrapped: other.wrapped });
      return done;
    };
    await expect(run()).rejects.toMatchObject({ code: 'KEY_POOL.SEAL_BROKEN' });
  });
});

describe('sealing tokens anew', () => {
  it('puts each under a new data key of its workspace, and leaves that of the fleet alone', async () => {
    const { rows, run, opened, make } = await setUp();
    const before = new Set(rows.keys.keys());
    expect(await run({ tokens: true })).toEqual({ dataKeys: 3, rewrapped: 0, resealed: 3 });
    const under = new Set([...rows.tokens.values()].map(({ sealed }) => sealed.dataKeyId));
    expect(under.size).toBe(1 + 1);
    expect([...under].some((id) => before.has(id))).toBe(false);
    expect([...rows.keys.values()].filter(({ workspaceId }) => workspaceId === '*')).toHaveLength(1);
    expect(await opened(make())).toEqual(['token-0', 'token-1', 'token-2']);
  });

  it('goes on with the data keys of a run that was broken off', async () => {
    const { rows, run } = await setUp();
    rows.beforeWrite = () => {
      if (rows.writes === 1) throw new Error('broken off');
    };
    await expect(run({ tokens: true })).rejects.toThrow('broken off');
    rows.beforeWrite = () => undefined;
    const keys = rows.keys.size;
    expect(await run({ tokens: true, resume: true })).toMatchObject({ resealed: 2 });
    expect(rows.keys.size).toBe(keys);
    expect(await run({ tokens: true })).toMatchObject({ resealed: 3 });
    expect(rows.keys.size).toBe(keys + 2);
  });

  it('counts no token that is another one by now, or gone', async () => {
    const { rows, run } = await setUp(1);
    rows.beforeWrite = (place) => void rows.tokens.delete(place);
    expect(await run({ tokens: true })).toMatchObject({ resealed: 0 });
  });

  it('does not believe a row that was written otherwise', async () => {
    const { rows, run } = await setUp(3);
    rows.read = async (token) => {
      const kept = rows.tokens.get(token.place) as StoredToken;
      return { ...kept.sealed, bytes: Buffer.from(kept.sealed.bytes).reverse() };
    };
    await expect(run({ tokens: true })).rejects.toMatchObject({ code: 'KEY_POOL.SEAL_BROKEN' });
  });
});
