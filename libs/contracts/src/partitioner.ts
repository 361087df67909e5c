import { GRAPH_PARTITIONS } from './topics';

/**
 * The one partitioner of the platform: murmur2 of the key's UTF-8 bytes, made positive, modulo the count. The
 * same as Java's default and kafkajs' DefaultPartitioner, so records written by other tools land alike.
 */
export function partitionOf(key: string, partitions: number = GRAPH_PARTITIONS): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

function murmur2(bytes: Buffer): number {
  const { length } = bytes;
  const whole = length - (length % 4);
  let hash = SEED ^ length;
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(bytes.readInt32LE(at), M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  if (whole < length) {
    for (let at = length - 1; at >= whole; at -= 1) hash ^= bytes.readUInt8(at) << (8 * (at - whole));
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
