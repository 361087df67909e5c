import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { startMoto, type MotoServer } from '@sociograph/testing';
import { LocalExportFiles } from '../src/infrastructure/local-export-files';
import { S3ExportFiles } from '../src/infrastructure/s3-export-files';
import { exportFilesContract } from './export-files.contract';

jest.setTimeout(300_000);

const NOW = 1_795_000_000_000;
const OPTIONS = { exportId: 'e1', name: 'vk-e1.gexf', mediaType: 'application/gexf+xml' };

describe('export files in a folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'export-files-'));
  const files = new LocalExportFiles(folder);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const names = (): string[] =>
    readdirSync(join(folder, 'files'), { recursive: true }).map((name) => String(name));

  exportFilesContract(async () => ({
    files,
    async follow(file, link) {
      const { expiresAt, signature } = parsed(link);
      if (!(await files.accepts(file, { expiresAt, signature }, Date.now()))) return undefined;
      const parts: Uint8Array[] = [];
      for await (const part of (await files.open(file))?.contents ?? []) parts.push(part);
      return Buffer.concat(parts);
    },
    names: async () => names(),
  }));

  function parsed(link: string): { expiresAt: number; signature: string } {
    const query = new URL(link, 'http://api').searchParams;
    return { expiresAt: Number(query.get('expires')), signature: query.get('signature') ?? '' };
  }

  async function write(store: LocalExportFiles, file: string): Promise<void> {
    const contents = (async function* () {
      yield Buffer.from('x');
    })();
    await store.write(file, contents, { mediaType: 'text/plain', signal: new AbortController().signal });
  }

  it('are for this user only', async () => {
    await write(files, 'w/a.gexf');
    expect(statSync(join(folder, 'files/w/a.gexf')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'files/w')).mode & 0o777).toBe(0o700);
    await files.link('w/a.gexf', { ...OPTIONS, now: NOW });
    expect(statSync(join(folder, 'link-secret')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'link-secret'))).toHaveLength(32);
  });

  it('have links of five minutes, for one file, that another instance takes too', async () => {
    const link = await files.link('w/a.gexf', { ...OPTIONS, now: NOW });
    expect(link).toMatch(/^\/v1\/exports\/e1\/file\?expires=1795000300000&signature=[A-Za-z0-9_-]{43}$/);
    const other = new LocalExportFiles(folder);
    const given = parsed(link);
    expect(await other.accepts('w/a.gexf', given, NOW + 299_999)).toBe(true);
    expect(await other.accepts('w/a.gexf', given, NOW + 300_000)).toBe(false);
    expect(await other.accepts('w/b.gexf', given, NOW)).toBe(false);
    expect(await other.accepts('w/a.gexf', { ...given, expiresAt: given.expiresAt + 1 }, NOW)).toBe(false);
    expect(await other.accepts('w/a.gexf', { ...given, signature: 'AAAA' }, NOW)).toBe(false);
    const elsewhere = mkdtempSync(join(tmpdir(), 'export-files-'));
    const stranger = await new LocalExportFiles(elsewhere).link('w/a.gexf', { ...OPTIONS, now: NOW });
    expect(await files.accepts('w/a.gexf', parsed(stranger), NOW)).toBe(false);
    rmSync(elsewhere, { recursive: true });
  });

  it('agree on one secret, whoever is the first to need it', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'export-files-'));
    const many = Array.from({ length: 10 }, () => new LocalExportFiles(shared));
    const links = await Promise.all(many.map((one) => one.link('w/a.gexf', { ...OPTIONS, now: NOW })));
    expect(new Set(links).size).toBe(1);
    expect(readdirSync(shared)).toEqual(['link-secret']);
    rmSync(shared, { recursive: true });
  });

  it('lie nowhere else, whatever a record says', async () => {
    for (const file of [
      '../link-secret',
      'w/../../x.gexf',
      '/etc/passwd',
      'w/a',
      'a.gexf',
      'w/.gexf',
      'w//a.gexf',
    ]) {
      await expect(write(files, file)).rejects.toThrow('this is no place of an export');
      await expect(files.remove(file)).rejects.toThrow('this is no place of an export');
    }
    expect(existsSync(join(folder, 'link-secret'))).toBe(true);
  });

  it('go when they are older than any record, halves included', async () => {
    mkdirSync(join(folder, 'files/old'), { recursive: true });
    const at = (name: string, mtime: number): void => {
      writeFileSync(join(folder, 'files/old', name), 'x');
      utimesSync(join(folder, 'files/old', name), mtime / 1000, mtime / 1000);
    };
    at('a.gexf', NOW - 1);
    at('b.gexf.part', NOW - 1);
    at('c.gexf', NOW);
    at('notes', NOW - 1);
    await files.sweep(NOW);
    expect(readdirSync(join(folder, 'files/old')).sort()).toEqual(['c.gexf', 'notes']);
    await new LocalExportFiles(join(folder, 'nowhere')).sweep(NOW);
  });

  it('are missing without a fault, and a folder that cannot be used passes as unavailable', async () => {
    expect(await files.open('w/missing.gexf')).toBeUndefined();
    writeFileSync(join(folder, 'plain'), 'x');
    const broken = new LocalExportFiles(join(folder, 'plain'));
    const unavailable = { code: 'EXPORT.STORE_UNAVAILABLE', kind: 'unavailable' };
    await expect(write(broken, 'w/a.gexf')).rejects.toMatchObject(unavailable);
    await expect(broken.link('w/a.gexf', { ...OPTIONS, now: NOW })).rejects.toMatchObject(unavailable);
    await expect(broken.open('w/a.gexf')).rejects.toMatchObject(unavailable);
  });
});

describe('export files in a bucket, as an emulator that others wrote has it', () => {
  const BUCKET = 'exports';
  const REGION = 'eu-central-1';
  let moto: MotoServer;
  let client: S3Client;
  let files: S3ExportFiles;

  beforeAll(async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'spec';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'spec';
    moto = await startMoto();
    client = new S3Client({ region: REGION, endpoint: moto.url, forcePathStyle: true });
    const CreateBucketConfiguration = { LocationConstraint: REGION } as const;
    await client.send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration }));
    files = new S3ExportFiles({ bucket: BUCKET, region: REGION, endpoint: moto.url });
  });
  afterAll(async () => {
    client?.destroy();
    files?.close();
    await moto?.stop();
  });

  exportFilesContract(async () => ({
    files,
    follow: async (_file, link) => Buffer.from(await (await fetch(link)).arrayBuffer()),
    async names() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      return Contents.map(({ Key }) => Key ?? '');
    },
  }));

  it('have presigned links of five minutes that say how the file is called', async () => {
    const link = new URL(await files.link('w/a.gexf', OPTIONS));
    expect(`${link.origin}${link.pathname}`).toBe(`${moto.url}/${BUCKET}/w/a.gexf`);
    expect(link.searchParams.get('X-Amz-Expires')).toBe('300');
    expect(link.searchParams.get('response-content-disposition')).toBe('attachment; filename="vk-e1.gexf"');
    expect(link.searchParams.get('response-content-type')).toBe('application/gexf+xml');
    expect(link.searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are linked by the address that callers know', async () => {
    const publicEndpoint = 'https://files.example.org';
    const two = new S3ExportFiles({ bucket: BUCKET, region: REGION, endpoint: moto.url, publicEndpoint });
    expect(await two.link('w/a.gexf', OPTIONS)).toMatch(
      /^https:\/\/files\.example\.org\/exports\/w\/a\.gexf\?/,
    );
    two.close();
  });

  it('are not handed out by the service', async () => {
    expect([await files.accepts(), await files.open()]).toEqual([false, undefined]);
  });

  it('pass as unavailable when the bucket cannot be used', async () => {
    const none = new S3ExportFiles({ bucket: 'none', region: REGION, endpoint: moto.url });
    const contents = (async function* () {
      yield Buffer.from('x');
    })();
    const options = { mediaType: 'text/plain', signal: new AbortController().signal };
    const unavailable = { code: 'EXPORT.STORE_UNAVAILABLE', kind: 'unavailable' };
    await expect(none.write('w/a.gexf', contents, options)).rejects.toMatchObject(unavailable);
    await expect(none.remove('w/a.gexf')).rejects.toMatchObject(unavailable);
    none.close();
  });
});
