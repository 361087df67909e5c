import { partitionOf } from '@sociograph/contracts';

/** What producers of other languages use: kafkajs' own copy of Java's murmur2. */
// eslint-disable-next-line @typescript-eslint/no-require-imports
const reference = require('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number;

describe('partitionOf', () => {
  it('agrees with the default partitioner of other producers for keys of every length', () => {
    for (let length = 0; length < 40; length += 1) {
      const key = Array.from({ length }, (_, at) => String.fromCharCode(33 + ((at * 7 + length) % 90))).join(
        '',
      );
      for (const partitions of [1, 6, 7]) {
        expect(partitionOf(key, partitions)).toBe((reference(Buffer.from(key)) & 0x7fffffff) % partitions);
      }
    }
  });

  it('hashes the UTF-8 bytes, not the characters', () => {
    expect(partitionOf('Вера Орлова', 1000)).toBe(
      (reference(Buffer.from('Вера Орлова')) & 0x7fffffff) % 1000,
    );
  });

  it('has the six partitions of the graph topics unless told otherwise', () => {
    const seen = new Set(Array.from({ length: 200 }, (_, n) => partitionOf(`demo:vk:user:${n}`)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
