import { CountedIds, StillClock } from '../../test/builders';
import type { Act } from '../domain/audit';
import { type Upload, UPLOAD_LIMITS } from '../domain/upload';
import { FileReader, type FileVerdict, type ReadFile, Uploads } from '../domain/upload-ports';
import { KeepUploads, READ_AT_ONCE, TakeUpload } from './take-upload';

class MemoryUploads extends Uploads {
  readonly kept = new Map<string, Upload>();
  readonly acts: (Act | undefined)[] = [];

  async add(upload: Upload, _rows?: unknown, act?: Act) {
    this.acts.push(act);
    const same = [...this.kept.values()].find(({ digest }) => digest === upload.digest);
    if (same !== undefined) return { upload: same, isNew: false };
    this.kept.set(upload.id, upload);
    return { upload, isNew: true };
  }

  async find(workspaceId: string, uploadId: string) {
    const found = this.kept.get(uploadId);
    return found?.workspaceId === workspaceId ? found : undefined;
  }

  async page(workspaceId: string, limit: number, after?: string) {
    const all = [...this.kept.values()].filter((each) => each.workspaceId === workspaceId).reverse();
    return all.filter(({ id }) => after === undefined || id < after).slice(0, limit);
  }

  async remove(workspaceId: string, uploadId: string, act?: Act) {
    this.acts.push(act);
    if ((await this.find(workspaceId, uploadId)) === undefined) return 'unknown' as const;
    if (uploadId === 'upload-2') return 'in-use' as const;
    this.kept.delete(uploadId);
    return 'removed' as const;
  }
}

const FILE: ReadFile = {
  ...{ kind: 'friendships', digest: 'd', bytes: 4, people: 2, friendships: 1, fields: [] },
  rows: [{ person: '1', friends: ['2'] }],
};

function setUp(verdict: FileVerdict = { kind: 'read', file: FILE }) {
  const uploads = new MemoryUploads();
  const reader = new (class extends FileReader {
    limits: unknown;
    finish: (() => void)[] = [];
    waits = false;

    async read(_body: AsyncIterable<Uint8Array>, limits: unknown): Promise<FileVerdict> {
      this.limits = limits;
      if (this.waits) await new Promise<void>((resolve) => this.finish.push(resolve));
      return verdict;
    }
  })();
  const taking = new TakeUpload(uploads, reader, new StillClock(), new CountedIds('upload'));
  const take = (network = 'file-a') =>
    taking.handle({
      ...{ workspaceId: 'demo', by: 'ada', correlationId: 'c', network },
      body: (async function* () {})(),
    });
  return { uploads, reader, take };
}

describe('an upload', () => {
  it('is stored as it was read', async () => {
    const { take, uploads, reader } = setUp();
    const { rows, ...about } = FILE;
    expect(rows).toBeDefined();
    const upload = {
      ...{ id: 'upload-1', workspaceId: 'demo', network: 'file-a', createdBy: 'ada' },
      ...{ createdAt: 5_000, keptSince: 5_000, ...about },
    };
    expect(await take()).toEqual({ kind: 'taken', upload, isNew: true });
    expect(await take()).toEqual({ kind: 'taken', upload, isNew: false });
    expect([uploads.kept.size, reader.limits]).toEqual([1, UPLOAD_LIMITS]);
    expect(uploads.acts[0]).toEqual({
      ...{ actor: { kind: 'person', id: 'ada' }, action: 'upload.create', auditId: 'upload-2', at: 5_000 },
      correlationId: 'c',
    });
  });

  it('with faults is refused, and named are the first and all of them', async () => {
    const faults = [
      { field: 'lines.2.to', message: 'must be an id' },
      { field: 'lines.3.to', message: 'must be another' },
    ];
    const { take, uploads } = setUp({ kind: 'refused', faults });
    await expect(take()).rejects.toMatchObject({
      ...{ code: 'UPLOADS.UNREADABLE', kind: 'unprocessable', fields: faults },
      message: 'Nothing of the file was taken: lines.2.to must be an id.',
    });
    expect(uploads.kept.size).toBe(0);
  });

  it('that is too large is told as such', async () => {
    expect(await setUp({ kind: 'too-large' }).take()).toEqual({ kind: 'too-large' });
  });

  it.each(['vk', 'file-', 'File', 'files', 'file--a', `file-${'x'.repeat(28)}`])(
    'is of a network of files, not of %s',
    async (network) => {
      await expect(setUp().take(network)).rejects.toMatchObject({ fields: [{ field: 'network' }] });
    },
  );

  it.each(['file', 'file-a', 'file-a-2', `file-${'x'.repeat(27)}`])('may be of %s', async (network) => {
    expect(await setUp().take(network)).toMatchObject({ upload: { network } });
  });

  it('waits its turn: so many are read at once, also after one failed', async () => {
    const { take, reader } = setUp();
    reader.waits = true;
    const first = Array.from({ length: READ_AT_ONCE }, () => take());
    await expect(take()).rejects.toMatchObject({ code: 'UPLOADS.BUSY', retryAfterSeconds: 3 });
    reader.finish.shift()?.();
    await first[0];
    const next = take();
    await expect(take()).rejects.toMatchObject({ code: 'UPLOADS.BUSY' });
    for (const finish of reader.finish) finish();
    await Promise.all([...first, next]);
  });
});

describe('uploads that are kept', () => {
  it('are found, paged and removed by their workspace', async () => {
    const uploads = new MemoryUploads();
    const base = {
      ...FILE,
      workspaceId: 'demo',
      network: 'file',
      createdBy: 'ada',
      createdAt: 1,
      keptSince: 1,
    };
    for (const n of [1, 2, 3]) await uploads.add({ ...base, id: `upload-${n}`, digest: String(n) });
    const keeping = new KeepUploads(uploads, new StillClock(), new CountedIds('audit'));
    const ada = { by: 'ada' };
    const ids = async (limit: number, after?: string): Promise<unknown> => {
      const { items, next } = await keeping.page('demo', limit, after);
      return [items.map(({ id }) => id), next];
    };
    expect(await ids(2)).toEqual([['upload-3', 'upload-2'], 'upload-2']);
    expect(await ids(2, 'upload-2')).toEqual([['upload-1'], undefined]);
    expect(await ids(3)).toEqual([['upload-3', 'upload-2', 'upload-1'], undefined]);
    expect((await keeping.one('demo', 'upload-1')).id).toBe('upload-1');
    await expect(keeping.one('other', 'upload-1')).rejects.toMatchObject({ code: 'UPLOADS.UNKNOWN' });
    await expect(keeping.remove('demo', 'upload-2', ada)).rejects.toMatchObject({ code: 'UPLOADS.IN_USE' });
    await keeping.remove('demo', 'upload-1', ada);
    expect(uploads.acts.at(-1)).toEqual({
      ...{ actor: { kind: 'person', id: 'ada' }, action: 'upload.delete', auditId: 'audit-2', at: 5_000 },
    });
    await expect(keeping.remove('demo', 'upload-1', ada)).rejects.toMatchObject({ code: 'UPLOADS.UNKNOWN' });
  });
});
