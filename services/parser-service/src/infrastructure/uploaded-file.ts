import { createHash } from 'node:crypto';
import { createGunzip, type Gunzip } from 'node:zlib';
import type { FieldFault } from '@sociograph/kernel';
import { type UploadLimits, uploadBroken } from '../domain/upload';
import { FileReader, type FileVerdict } from '../domain/upload-ports';
import { type Content, contentOf, firstLine, Refused, roomIn } from './uploaded-lines';

const MEGABYTE = 1_048_576;
/** The first line with content is looked for in so much; behind it there is no file of ours. */
const HEAD_BYTES = 65_536;

class TooLarge extends Error {}

/** Edge lists and CSV, plain or packed with gzip, piece by piece as the body comes. */
export class UploadedFiles extends FileReader {
  async read(body: AsyncIterable<Uint8Array>, limits: UploadLimits): Promise<FileVerdict> {
    const hash = createHash('sha256');
    const faults: FieldFault[] = [];
    let bytes = 0;
    let content: Content | undefined;
    let head = Buffer.alloc(0);
    const take = async (piece: Buffer): Promise<void> => {
      try {
        if (content !== undefined) return await content.push(piece);
        head = Buffer.concat([head, piece]);
        if (firstLine(head) === undefined && head.length < HEAD_BYTES) return;
        content = contentOf(head, limits, faults);
        await content.push(head);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
    };
    try {
      for await (const piece of unpacked(counted(body, limits), faults)) {
        bytes += piece.length;
        if (bytes > limits.unpackedBytes) throw new TooLarge();
        hash.update(piece);
        // After a fault that ends the reading the rest is taken in all the same: the client hears the answer then.
        if (!isHopeless(faults, limits)) await take(piece);
      }
      if (!isHopeless(faults, limits)) {
        if (content === undefined) {
          content = contentOf(head, limits, faults);
          await content.push(head);
        }
        const file = await content.end();
        if (file !== undefined) return { kind: 'read', file: { ...file, bytes, digest: hash.digest('hex') } };
      }
    } catch (error) {
      if (error instanceof TooLarge) return { kind: 'too-large' };
      if (!(error instanceof Refused)) throw error;
    }
    return { kind: 'refused', faults: faults.slice(0, limits.faults) };
  }
}

/** A line that cannot be read ends the reading of an edge list and of damaged CSV; rows are all looked at. */
const isHopeless = (faults: readonly FieldFault[], limits: UploadLimits): boolean =>
  faults.length >= limits.faults || faults.some(({ field }) => !/^lines\.\d+\./.test(field));

async function* counted(
  body: AsyncIterable<Uint8Array>,
  { megabytes }: UploadLimits,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > megabytes * MEGABYTE) throw new TooLarge();
      yield Buffer.from(piece);
    }
  } catch (error) {
    throw error instanceof TooLarge ? error : uploadBroken(error);
  }
}

/** gzip is told by its first bytes, not by a header. */
async function* unpacked(body: AsyncGenerator<Buffer>, faults: FieldFault[]): AsyncGenerator<Buffer> {
  let first = Buffer.alloc(0);
  while (first.length < 2) {
    const { value, done } = await body.next();
    if (done === true) break;
    first = Buffer.concat([first, value]);
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield first;
    yield* body;
  };
  if (first[0] !== 0x1f || first[1] !== 0x8b) return yield* whole();
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  const feeding = feed(whole(), gunzip).catch((error: Error) => void gunzip.destroy(error));
  try {
    for await (const piece of gunzip) yield piece as Buffer;
  } catch (error) {
    if (!/^Z_/.test(String((error as { code?: unknown }).code))) throw error;
    faults.push({ field: 'body', message: 'is damaged, or not the whole of its gzip data' });
    throw new Refused();
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

async function feed(pieces: AsyncGenerator<Buffer>, gunzip: Gunzip): Promise<void> {
  for await (const piece of pieces) {
    // Damaged: the rest is taken in for the same reason. Else nobody wants it.
    if (gunzip.errored !== null) continue;
    if (gunzip.destroyed) return;
    if (!gunzip.write(piece)) await roomIn(gunzip);
  }
  if (!gunzip.destroyed) gunzip.end();
}
