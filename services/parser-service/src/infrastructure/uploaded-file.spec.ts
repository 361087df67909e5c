import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { UPLOAD_LIMITS, type UploadLimits } from '../domain/upload';
import type { FileVerdict, ReadFile } from '../domain/upload-ports';
import { UploadedFiles } from './uploaded-file';

/** Three bytes a piece unless told: every line and every character is cut somewhere. */
async function* inPieces(content: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function verdictOf(
  content: string | Buffer,
  { limits = {}, size = 3 }: { limits?: Partial<UploadLimits>; size?: number } = {},
): Promise<FileVerdict> {
  const bytes = Buffer.from(content);
  return new UploadedFiles().read(inPieces(bytes, size), { ...UPLOAD_LIMITS, ...limits });
}

async function fileOf(...asked: Parameters<typeof verdictOf>): Promise<ReadFile> {
  const verdict = await verdictOf(...asked);
  if (verdict.kind !== 'read') throw new Error(JSON.stringify(verdict));
  return verdict.file;
}

async function faultsOf(...asked: Parameters<typeof verdictOf>): Promise<string[]> {
  const verdict = await verdictOf(...asked);
  if (verdict.kind !== 'refused') throw new Error(verdict.kind);
  return verdict.faults.map(({ field, message }) => `${field} ${message}`);
}

const listsOf = ({ rows }: ReadFile): Record<string, string[]> =>
  Object.fromEntries([...rows].map(({ person, friends = [] }) => [person, [...friends].sort()]));
const FOUR = { 0: ['1', '2'], 1: ['0'], 2: ['0'], 7: [] };

describe('a file of friendships', () => {
  it.each([
    ['blanks, tabs, commas, comments and repeats', '# a\n0 1\r\n\n% b\n1\t0\n 2 , 0 \n7 7\n0 2'],
    ['CSV', 'from,to\n0,1\n1,0\n2,0\n7,7\n'],
    [
      'CSV with semicolons, quotes, a mark of byte order and another order',
      '\ufeffTo;"FROM"\n1;0\r\n"2";0\n7;7\n',
    ],
  ])('is read as what it is: %s', async (_name, content) => {
    const plain = await fileOf(content);
    expect([plain.kind, plain.people, plain.friendships, plain.fields]).toEqual(['friendships', 4, 2, []]);
    expect(listsOf(plain)).toEqual(FOUR);
    expect(plain.bytes).toBe(Buffer.byteLength(content));
    expect(plain.digest).toBe(createHash('sha256').update(content).digest('hex'));
    const packed = await fileOf(gzipSync(content));
    expect([packed.digest, packed.bytes, listsOf(packed)]).toEqual([plain.digest, plain.bytes, FOUR]);
  });

  it('has ids of letters, digits, dashes and underscores where it is CSV, and 007 is not 7', async () => {
    const file = await fileOf('from,to\nada-1,007\n007,7\n');
    expect(listsOf(file)).toEqual({ 'ada-1': ['007'], '007': ['7', 'ada-1'], 7: ['007'] });
  });

  it('may be gone through twice, and names friends in the order of the file', async () => {
    const { rows } = await fileOf('5 9\n5 1\n5 3\n');
    expect([...rows]).toEqual([...rows]);
    expect([...rows][0]).toEqual({ person: '5', friends: ['9', '1', '3'] });
  });

  it('is refused by line and field', async () => {
    expect(await faultsOf('1 2\n\nada 3\n4')).toEqual(['lines.3 is "ada 3": it is not two whole numbers']);
    expect(await faultsOf('1 2\n-3 4\n')).toEqual(['lines.2 is not a friendship: an id is below 0']);
    expect(await faultsOf('from,to\n1,2\n-1,2\n1,\n1,2,3\n')).toEqual([
      'lines.3.from must be 1 to 64 letters, digits, - and _, and not begin with -',
      'lines.4.to must be 1 to 64 letters, digits, - and _, and not begin with -',
      'lines.5.row must have 2 columns, not 3',
    ]);
    expect(await faultsOf('from,to,weight\n1,2,3\n')).toEqual(['columns.weight is no known column']);
    expect(await faultsOf(`from,to\n${'x'.repeat(65)},1\n`)).toHaveLength(1);
    expect((await fileOf(`from,to\n${'x'.repeat(64)},1\n`)).people).toBe(2);
    expect(await faultsOf('from,to\n1,2\n"3,4\n')).toEqual([
      expect.stringMatching(/^lines\.\d is no well-formed CSV \(CSV_QUOTE_NOT_CLOSED\)$/),
    ]);
    for (const nothing of ['', '# only this\n', 'from,to\n', 'id,name\n', gzipSync('')])
      expect(await faultsOf(nothing)).toEqual(['body names nobody']);
  });

  it('tells so many faults and no more', async () => {
    const rows = Array.from({ length: 9 }, () => '-,1\n').join('');
    expect(await faultsOf(`from,to\n${rows}`, { limits: { faults: 3 } })).toHaveLength(3);
  });

  it('is refused where its packing is damaged or ends early', async () => {
    const packed = gzipSync('1 2\n'.repeat(50_000));
    const damaged = ['body is damaged, or not the whole of its gzip data'];
    expect(await faultsOf(packed.subarray(0, packed.length - 9), { size: 1_000 })).toEqual(damaged);
    const broken = Buffer.from(packed);
    broken.fill(0xff, 20, 60);
    expect(await faultsOf(broken, { size: 1_000 })).toEqual(damaged);
  });

  it('is taken in to its end although its packing is damaged: the client hears why', async () => {
    const packed = gzipSync(Array.from({ length: 40_000 }, (_, n) => `${n} ${n * 7919}\n`).join(''));
    packed.fill(0xff, 20, 60);
    let taken = 0;
    async function* body(): AsyncGenerator<Uint8Array> {
      for await (const piece of inPieces(packed, 1_000)) {
        taken += piece.length;
        yield piece;
      }
    }
    expect((await new UploadedFiles().read(body(), UPLOAD_LIMITS)).kind).toBe('refused');
    expect(taken).toBe(packed.length);
  });

  it('has limits: of bytes as they are sent, unpacked, of people and of lines', async () => {
    const lines = '1 2\n'.repeat(100);
    expect((await verdictOf(lines, { limits: { unpackedBytes: 400 } })).kind).toBe('read');
    expect((await verdictOf(lines, { limits: { unpackedBytes: 399 } })).kind).toBe('too-large');
    expect((await verdictOf(gzipSync(lines), { limits: { unpackedBytes: 399 } })).kind).toBe('too-large');
    const megabyte = Buffer.alloc(1_048_576, '#');
    const sized = { limits: { megabytes: 1 }, size: 65_536 };
    expect((await verdictOf(megabyte, sized)).kind).toBe('refused');
    expect((await verdictOf(Buffer.concat([megabyte, Buffer.from('#')]), sized)).kind).toBe('too-large');
    expect((await verdictOf('1 2\n3 4\n', { limits: { people: 4 } })).kind).toBe('read');
    expect(await faultsOf('1 2\n3 4\n', { limits: { people: 3 } })).toEqual([
      'lines.2 is one person more than 3',
    ]);
    expect((await verdictOf('from,to\n1,2\n1,2\n', { limits: { friendships: 2 } })).kind).toBe('read');
    expect(await faultsOf('from,to\n1,2\n1,2\n', { limits: { friendships: 1 } })).toEqual([
      'lines.3 is one friendship more than 1',
    ]);
    expect(await faultsOf('id\n1\n2\n', { limits: { people: 1 } })).toEqual([
      'lines.3 is one person more than 1',
    ]);
  });

  it('says so when the connection breaks', async () => {
    async function* cut(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('1 2\n');
      throw new Error('aborted');
    }
    await expect(new UploadedFiles().read(cut(), UPLOAD_LIMITS)).rejects.toMatchObject({
      code: 'UPLOADS.BROKEN_OFF',
    });
  });
});

describe('a file of people', () => {
  it('has names, closed and the fields that imports may ask for, by columns in any order', async () => {
    const file = await fileOf(
      'Birth Date,ID,first_name,lastName,sex,city,country,screen-name,closed\n' +
        '1.2.1990,1,Vera,"Orlova, jr.",female,Köln,Germany,vera,true\n,2,Max,,,,,,\n',
    );
    expect([file.kind, file.people, file.friendships]).toEqual(['people', 2, 0]);
    expect(file.fields).toEqual(['sex', 'birthDate', 'city', 'country', 'screenName']);
    expect([...file.rows]).toEqual([
      {
        person: '1',
        profile: {
          ...{ birthDate: '1.2.1990', firstName: 'Vera', lastName: 'Orlova, jr.', sex: 'female' },
          ...{ city: 'Köln', country: 'Germany', screenName: 'vera', closed: true },
        },
      },
      { person: '2', profile: { firstName: 'Max' } },
    ]);
  });

  it('may have one name, whose first word is the first name', async () => {
    const { rows } = await fileOf('id\tname\n1\tAda King Lovelace\n2\tMadonna\n');
    expect([...rows].map(({ profile }) => profile)).toEqual([
      { firstName: 'Ada', lastName: 'King Lovelace' },
      { firstName: 'Madonna', lastName: '' },
    ]);
  });

  it('is refused by line and column', async () => {
    expect(await faultsOf('id,sex,closed,birthDate\n1,f,yes,12.12.1990 12:00h\n1,,,\n')).toEqual([
      'lines.2.sex must be one of: female, male, unknown',
      'lines.2.closed must be true or false',
      'lines.2.birthDate must have at most 16 characters',
    ]);
    expect(await faultsOf('id,name\n1,A\n2,B\n1,C\n')).toEqual(['lines.4.id is on line 2, too']);
    expect(await faultsOf('id,constructor\n1,2\n')).toEqual(['columns.constructor is no known column']);
    expect(await faultsOf('id,colour,name,firstName,Name\n')).toEqual([
      'columns.colour is no known column',
      'columns.Name is a column twice',
      'columns.name cannot stand beside firstName or lastName',
    ]);
    expect(await faultsOf(`id,city\n1,${'x'.repeat(257)}\n`)).toEqual([
      'lines.2.city must have at most 256 characters',
    ]);
    expect((await fileOf(`id,city\n1,${'x'.repeat(256)}\n`)).people).toBe(1);
    expect(await faultsOf('id,city\n1,a\0b\n')).toEqual(['lines.2.city must not hold U+0000']);
    expect(await faultsOf(Buffer.from('id,city\n1,K\xf6ln\n', 'latin1'))).toEqual(['body must be UTF-8']);
  });
});
