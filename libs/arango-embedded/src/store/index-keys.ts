import { unsupported } from '../faults';

/** Longest string that an index entry may hold; LMDB's keys end at 1978 bytes. */
const MAX_STRING_BYTES = 600;

/**
 * Bytes whose order is AQL's order of values: null < bool < number < string. Each string ends with 00 (a 00
 * inside becomes 00 FF), so a prefix of fields is a prefix of bytes. Arrays and objects are not indexed here.
 */
export function encodeIndexKey(values: readonly unknown[]): Buffer {
  return Buffer.concat(values.map(encodeValue));
}

/** Above every key that begins with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.from([0xff])]);
}

/** True when a value can stand in an index of this server. */
export function indexable(value: unknown): boolean {
  return value === null || value === undefined || ['boolean', 'number', 'string'].includes(typeof value);
}

function encodeValue(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.from([0x01]);
  if (value === false) return Buffer.from([0x02]);
  if (value === true) return Buffer.from([0x03]);
  if (typeof value === 'number') return encodeNumber(value);
  if (typeof value === 'string') return encodeString(value);
  throw unsupported('an array or object as value of an indexed attribute');
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x04;
  bytes.writeDoubleBE(value === 0 ? 0 : value, 1); // -0 and 0 are one value
  const negative = ((bytes[1] as number) & 0x80) !== 0;
  if (negative) for (let i = 1; i < 9; i++) bytes[i] = ~(bytes[i] as number) & 0xff;
  else bytes[1] = (bytes[1] as number) ^ 0x80;
  return bytes;
}

function encodeString(value: string): Buffer {
  const escaped = value.includes('\0') ? value.replaceAll('\0', '\0\u{10FFFF}') : value;
  const length = Buffer.byteLength(escaped);
  if (length > MAX_STRING_BYTES) throw unsupported(`a string over ${MAX_STRING_BYTES} bytes in an index`);
  const bytes = Buffer.allocUnsafe(length + 2);
  bytes[0] = 0x05;
  bytes.write(escaped, 1, 'utf8');
  bytes[length + 1] = 0;
  return bytes;
}
