import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { needlesOf, numberNeedlesOf } from './encodings';
import { openSegment } from './kafka-batches';
import { NeedleIndex } from './needle-index';
import { SecretScan } from './secret-scan';

const SECRET = 'vk1.a.9fT+/x?zQ~canary-Ünique_0123456789';

/** A record batch as Kafka stores it; only what the reader looks at is filled. */
function aBatch(records: Buffer, codec: number): Buffer {
  const head = Buffer.alloc(61);
  head.writeInt32BE(49 + records.length, 8);
  head.writeInt16BE(codec, 21);
  return Buffer.concat([head, records]);
}

describe('needles of a secret', () => {
  it('have one shape per encoding, without shapes that are the same bytes', () => {
    const encodings = (secret: string): string[] => needlesOf('s', secret).map((needle) => needle.encoding);
    expect(encodings(SECRET)).toEqual([
      'raw',
      'reversed',
      'utf-16',
      'hex',
      'hex, upper case',
      'percent',
      'percent, lower case',
      ...Array.from({ length: 8 }, () => 'packed by PostgreSQL'),
      'base64, 0 before',
      'base64, 1 before',
      'base64, 2 before',
      // Only there do bits of this secret make a `+` or `/`.
      'base64url, 2 before',
    ]);
    expect(encodings('abcabcabcabc')).not.toContain('percent');
    expect(encodings('abcabcabcabc')).not.toContain('base64url, 0 before');
  });

  it('are refused when they are so short that chance finds them', () => {
    expect(() => needlesOf('s', 'elevenchars')).toThrow('The secret "s" is too short to be looked for.');
  });
});

describe('needles of a number', () => {
  it('are its eight bytes, either way round, as a whole number and as a double', () => {
    const shapes = numberNeedlesOf('n', 9_712_345_678).map(({ encoding, bytes }) => [
      encoding,
      bytes.toString('hex'),
    ]);
    expect(shapes).toEqual([
      ['int64', '4ea2e64202000000'],
      ['int64, big-endian', '0000000242e6a24e'],
      ['double', '0000701235170242'],
      ['double, big-endian', '4202173512700000'],
    ]);
    expect(() => numberNeedlesOf('n', 2 ** 32)).toThrow('The number "n" is too small to be looked for.');
  });

  it('are found where they begin first', () => {
    const needles = needlesOf('id', '9712345678', 10);
    const [raw] = needles;
    const found = new NeedleIndex(needles).firstOf(Buffer.from('ab 9712345678 9712345678'));
    expect([...found]).toEqual([[raw, 3]]);
  });
});

describe('SecretScan', () => {
  const found = (content: string | Uint8Array): string[] => {
    const scan = new SecretScan({ token: SECRET, other: 'another-secret-of-this-run' });
    scan.look('here', content);
    return scan.findings.map(({ secret, encoding, place }) => `${secret} ${encoding} ${place}`);
  };

  it.each([
    ['raw', Buffer.from(`x${SECRET}x`)],
    ['reversed', Buffer.from(SECRET).reverse()],
    ['utf-16', Buffer.from(`a${SECRET}`, 'utf16le')],
    ['hex', Buffer.from(Buffer.from(`a${SECRET}b`).toString('hex'))],
    ['hex, upper case', Buffer.from(Buffer.from(SECRET).toString('hex').toUpperCase())],
    ['percent', Buffer.from(`q=${encodeURIComponent(SECRET)}&`)],
    [
      'percent, lower case',
      Buffer.from(encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())),
    ],
  ])('finds a secret that is %s', (encoding, content) => {
    expect(found(content)).toEqual([`token ${encoding} here`]);
  });

  it.each([0, 1, 2, 3, 4, 5])('finds it in base64 behind %s bytes and before others', (before) => {
    const bytes = Buffer.concat([Buffer.alloc(before, 0xa7), Buffer.from(SECRET), Buffer.from([0xff, 1, 2])]);
    expect(found(bytes.toString('base64'))).toEqual([`token base64, ${before % 3} before here`]);
    const url = found(bytes.toString('base64url'));
    expect(url).toEqual([expect.stringMatching(`^token base64(url)?, ${before % 3} before here$`)]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'finds it where PostgreSQL packed it, %s bytes after a control byte',
    (behind) => {
      const bytes = Buffer.concat([Buffer.alloc(behind, 0x2e), Buffer.from(SECRET), Buffer.from('the rest')]);
      const packed = [...bytes].flatMap((byte, at) => (at % 8 === 0 ? [0, byte] : [byte]));
      // Its first bytes were packed into a reference to an earlier value.
      expect(found(Buffer.from(packed.slice(behind + 9)))).toEqual(['token packed by PostgreSQL here']);
    },
  );

  it('finds nothing in what only begins like it', () => {
    expect(found(SECRET.slice(0, -1))).toEqual([]);
    expect(found(SECRET.slice(1))).toEqual([]);
    expect(found('')).toEqual([]);
    expect(found('another-secret-of-this-run')).toEqual(['other raw here']);
  });

  it('says each finding once', () => {
    expect(found(`${SECRET} ${SECRET}`)).toEqual(['token raw here']);
  });
});

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'secret-scan-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const placesOf = (scan: SecretScan): string[] => scan.findings.map((finding) => finding.place).sort();

  it('are read as they are, unpacked where they are packed, and across the pieces they are read in', () => {
    mkdirSync(join(folder, 'deep', 'topic-0'), { recursive: true });
    writeFileSync(join(folder, 'deep', 'plain'), `a${SECRET}b`);
    writeFileSync(join(folder, 'old.log.gz'), gzipSync(SECRET));
    const packed = aBatch(gzipSync(`value ${SECRET}`), 1);
    const segment = Buffer.concat([aBatch(Buffer.from('nothing'), 0), packed, Buffer.alloc(200)]);
    writeFileSync(join(folder, 'deep', 'topic-0', '00000000000000000000.log'), segment);
    const piece = 4 * 1024 * 1024;
    const large = Buffer.alloc(piece + 100, 0x20);
    large.write(SECRET, piece - 10);
    writeFileSync(join(folder, 'large'), large);
    symlinkSync(join(folder, 'deep'), join(folder, 'link'));
    const scan = new SecretScan({ token: SECRET });
    scan.lookIntoFolder('data', folder, { except: (path) => path.startsWith('link/topic') });
    expect(placesOf(scan)).toEqual([
      'data: deep/plain',
      'data: deep/topic-0/00000000000000000000.log, unpacked',
      'data: large',
      'data: link/plain',
      'data: old.log.gz, unpacked',
    ]);
    expect([scan.unread, scan.files]).toEqual([[], 5]);
  });

  it('that did not change since the secret exists are left out, as are those that are meant to hold it', () => {
    for (const name of ['new', 'old', 'own']) writeFileSync(join(folder, name), SECRET);
    utimesSync(join(folder, 'old'), 1_000, 1_000);
    const scan = new SecretScan({ token: SECRET });
    scan.lookIntoFolder('data', folder, { changedSince: 1_000_001, except: (path) => path === 'own' });
    expect(placesOf(scan)).toEqual(['data: new']);
  });

  it('that cannot be opened are said', () => {
    mkdirSync(join(folder, 't-0'));
    writeFileSync(join(folder, 't-0', '00000000000000000007.log'), aBatch(Buffer.from('zstd'), 4));
    const scan = new SecretScan({ token: SECRET });
    scan.lookIntoFolder('kafka', folder);
    expect(scan.unread).toEqual([
      'kafka: t-0/00000000000000000007.log: 1 batches in a compression that is not known here',
    ]);
  });
});

describe('a Kafka segment', () => {
  it('ends at zeroes or at a batch that was cut off', () => {
    const whole = aBatch(gzipSync('one'), 1);
    const cut = aBatch(gzipSync('two'), 1).subarray(0, 70);
    const texts = (segment: Buffer): string[] => openSegment(segment).unpacked.map(String);
    expect(texts(Buffer.concat([whole, cut]))).toEqual(['one']);
    expect(texts(Buffer.concat([whole, Buffer.alloc(64), whole]))).toEqual(['one']);
    expect(texts(Buffer.concat([whole, whole]))).toEqual(['one', 'one']);
  });
});
