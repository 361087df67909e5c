/** What is used of a client of ioredis; a type of our own, so that this library needs no client. */
export interface RedisReader {
  type(key: Buffer): Promise<string>;
  getBuffer(key: Buffer): Promise<Buffer | null>;
  hgetallBuffer(key: Buffer): Promise<Record<string, Buffer>>;
  lrangeBuffer(key: Buffer, from: number, to: number): Promise<Buffer[]>;
  smembersBuffer(key: Buffer): Promise<Buffer[]>;
  zrangeBuffer(key: Buffer, from: string, to: string): Promise<Buffer[]>;
  xrange(key: Buffer, from: string, to: string): Promise<[id: string, fields: string[]][]>;
}

/** Every value and field of a key, of whatever type it is; nothing where it is gone. */
export async function redisValuesOf(redis: RedisReader, key: Buffer): Promise<Buffer[]> {
  switch (await redis.type(key)) {
    case 'string':
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'hash':
      return Object.entries(await redis.hgetallBuffer(key)).flatMap(([field, value]) => [
        Buffer.from(field),
        value,
      ]);
    case 'list':
      return redis.lrangeBuffer(key, 0, -1);
    case 'set':
      return redis.smembersBuffer(key);
    case 'zset':
      return redis.zrangeBuffer(key, '0', '-1');
    case 'stream':
      return (await redis.xrange(key, '-', '+')).flatMap(([, fields]) =>
        fields.map((field) => Buffer.from(field)),
      );
    default:
      return [];
  }
}
