import { hashesOf, StateHash } from './state-hash';

const PARTITIONS = 3;

function aHash(build: (hash: StateHash) => void): string[] {
  const hash = new StateHash(PARTITIONS);
  for (let vertex = 0; vertex < 40; vertex++) hash.introduce(vertex, `demo:vk:user:${vertex}`, vertex % 3);
  build(hash);
  return hashesOf([hash], PARTITIONS);
}

const EMPTY = '0'.repeat(32);

describe('the hash of a state', () => {
  it('is nothing where nothing is, and stands in the partition of the vertex that asserts', () => {
    expect(aHash(() => {})).toEqual([EMPTY, EMPTY, EMPTY]);
    const hashes = aHash((hash) => hash.name(4, 6, 1));
    expect([hashes[0], hashes[2]]).toEqual([EMPTY, EMPTY]);
    expect(hashes[1]).toMatch(/^[0-9a-f]{32}$/);
    expect(hashes[1]).not.toBe(EMPTY);
  });

  it('has bits in all four lanes', () => {
    const [, hash] = aHash((one) => one.name(1, 2, 1));
    for (let lane = 0; lane < 4; lane++) expect(hash!.slice(lane * 8, lane * 8 + 8)).not.toBe('00000000');
    const [, other] = aHash((one) => one.document(1, 'text', 1));
    for (let lane = 0; lane < 4; lane++) {
      expect(other!.slice(lane * 8, lane * 8 + 8)).not.toBe('00000000');
      expect(other!.slice(lane * 8, lane * 8 + 8)).not.toBe(hash!.slice(lane * 8, lane * 8 + 8));
    }
  });

  it('does not depend on the order, and forgets what was taken back', () => {
    const straight = aHash((hash) => {
      hash.name(1, 2, 1);
      hash.document(1, 'Vera', 1);
      hash.name(39, 1, 1);
    });
    const roundabout = aHash((hash) => {
      hash.document(1, 'Anna', 1);
      hash.name(39, 1, 1);
      hash.name(1, 5, 1);
      hash.document(1, 'Anna', -1);
      hash.name(1, 2, 1);
      hash.document(1, 'Vera', 1);
      hash.name(1, 5, -1);
    });
    expect(roundabout).toEqual(straight);
  });

  it('tells who names whom, whose document it is, and what stands in it', () => {
    const all = [
      aHash((hash) => hash.name(1, 4, 1)),
      aHash((hash) => hash.name(4, 1, 1)),
      aHash((hash) => hash.name(1, 7, 1)),
      aHash((hash) => hash.document(1, 'a', 1)),
      aHash((hash) => hash.document(4, 'a', 1)),
      aHash((hash) => hash.document(1, 'b', 1)),
    ].map(([, hash]) => hash);
    expect(new Set(all).size).toBe(all.length);
  });

  it('adds up over graphs', () => {
    const both = aHash((hash) => {
      hash.name(1, 2, 1);
      hash.name(2, 1, 1);
    });
    const [one, other] = [new StateHash(PARTITIONS), new StateHash(PARTITIONS)];
    for (const hash of [one, other])
      for (const vertex of [1, 2]) hash.introduce(vertex, `demo:vk:user:${vertex}`, vertex);
    one.name(1, 2, 1);
    other.name(2, 1, 1);
    expect(hashesOf([one, other], PARTITIONS)).toEqual(both);
  });
});
