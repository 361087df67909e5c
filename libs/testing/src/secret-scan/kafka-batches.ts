import { gunzipSync } from 'node:zlib';

export interface OpenedSegment {
  /** Records of compressed batches, unpacked; the bytes of the segment itself are not repeated. */
  unpacked: Buffer[];
  /** Batches in a compression that cannot be opened here (snappy, lz4, zstd). */
  closed: number;
}

/** Where things lie in a record batch (message format 2), from its first byte. */
const LENGTH_AT = 8;
const HEAD_BYTES = 12;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
const CODEC_BITS = 0x07;
const GZIP = 1;

/** Opens the compressed batches of a Kafka log segment: a secret in them is not in the file's bytes. */
export function openSegment(segment: Buffer): OpenedSegment {
  const opened: OpenedSegment = { unpacked: [], closed: 0 };
  let at = 0;
  while (at + RECORDS_AT <= segment.length) {
    const size = HEAD_BYTES + segment.readInt32BE(at + LENGTH_AT);
    // Segments are allocated ahead: zeroes, or a batch cut off by a crash, end what is written.
    if (size < RECORDS_AT || at + size > segment.length) break;
    const codec = segment.readInt16BE(at + ATTRIBUTES_AT) & CODEC_BITS;
    if (codec === GZIP) opened.unpacked.push(gunzipSync(segment.subarray(at + RECORDS_AT, at + size)));
    else if (codec !== 0) opened.closed += 1;
    at += size;
  }
  return opened;
}
