/** One shape in which a secret may lie somewhere. */
export interface Needle {
  /** The caller's name of the secret: findings must never show the secret itself. */
  secret: string;
  encoding: Encoding;
  bytes: Buffer;
}

export type Encoding =
  | 'raw'
  | 'reversed'
  | 'utf-16'
  | 'packed by PostgreSQL'
  | 'hex'
  | 'hex, upper case'
  | 'percent'
  | 'percent, lower case'
  | 'int64'
  | 'int64, big-endian'
  | 'double'
  | 'double, big-endian'
  | `base64, ${0 | 1 | 2} before`
  | `base64url, ${0 | 1 | 2} before`;

/** Shorter ones would be found by chance. */
export const SHORTEST_SECRET = 12;

/**
 * Every shape of a secret (UTF-8 text) that is searched for. Shapes that are the same bytes appear once. In base64 the
 * secret looks different for 0, 1 and 2 bytes before it (modulo 3); characters that depend on its neighbours are left out.
 */
export function needlesOf(name: string, secret: string, shortest = SHORTEST_SECRET): Needle[] {
  const raw = Buffer.from(secret, 'utf8');
  if (raw.length < shortest) throw new Error(`The secret "${name}" is too short to be looked for.`);
  const shapes: [Encoding, Buffer][] = [
    ['raw', raw],
    ['reversed', Buffer.from(raw).reverse()],
    ['utf-16', Buffer.from(secret, 'utf16le')],
    ['hex', Buffer.from(raw.toString('hex'))],
    ['hex, upper case', Buffer.from(raw.toString('hex').toUpperCase())],
    ['percent', Buffer.from(encodeURIComponent(secret))],
    [
      'percent, lower case',
      Buffer.from(encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())),
    ],
  ];
  // What is left of a shorter one could be there by chance.
  for (let first = 1; first <= 8 && raw.length >= PACKABLE + SHORTEST_SECRET; first += 1)
    shapes.push(['packed by PostgreSQL', packed(raw, first)]);
  for (const before of [0, 1, 2] as const) {
    const text = base64(raw, before);
    shapes.push([`base64, ${before} before`, Buffer.from(text)]);
    const url = text.replaceAll('+', '-').replaceAll('/', '_');
    shapes.push([`base64url, ${before} before`, Buffer.from(url)]);
  }
  const seen = new Set<string>();
  return shapes.flatMap(([encoding, bytes]) => {
    const shape = bytes.toString('latin1');
    if (seen.has(shape)) return [];
    seen.add(shape);
    return [{ secret: name, encoding, bytes }];
  });
}

/** The shapes of a number that lies somewhere as a number. Above 2^32, or its bytes would be found by chance. */
export function numberNeedlesOf(name: string, value: number): Needle[] {
  if (value <= 2 ** 32) throw new Error(`The number "${name}" is too small to be looked for.`);
  const filled = (fill: (bytes: Buffer) => unknown): Buffer => {
    const bytes = Buffer.alloc(8);
    fill(bytes);
    return bytes;
  };
  return [
    { secret: name, encoding: 'int64', bytes: filled((bytes) => bytes.writeBigInt64LE(BigInt(value))) },
    {
      ...{ secret: name, encoding: 'int64, big-endian' },
      bytes: filled((bytes) => bytes.writeBigInt64BE(BigInt(value))),
    },
    { secret: name, encoding: 'double', bytes: filled((bytes) => bytes.writeDoubleLE(value)) },
    { secret: name, encoding: 'double, big-endian', bytes: filled((bytes) => bytes.writeDoubleBE(value)) },
  ];
}

/** What a value has in common with those before it is packed; a secret's beginning may be (`vk1.a.`). */
const PACKABLE = 8;

/**
 * PostgreSQL's own compression (pglz) keeps what does not repeat as it is, with a zero byte before every eight of them; the first
 * zero stands `first` bytes behind the beginning.
 */
function packed(raw: Buffer, first: number): Buffer {
  const bytes: number[] = [];
  for (const [at, byte] of raw.subarray(PACKABLE).entries()) {
    if (at >= first && (at - first) % 8 === 0) bytes.push(0);
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

/** The characters of base64 that hold nothing but bits of `raw`, when so many bytes stand before it. */
function base64(raw: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), raw]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + raw.length) * 8) / 6));
}
