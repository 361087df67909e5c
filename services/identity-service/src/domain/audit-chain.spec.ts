import { createHash, createHmac } from 'node:crypto';
import {
  canonical,
  GENESIS,
  type Head,
  linkOf,
  macOf,
  type SealedEntry,
  Sealing,
  TrailCheck,
} from './audit-chain';

class Keyed extends Sealing {
  constructor(private readonly key: string) {
    super();
  }
  override digest(text: string): string {
    return createHash('sha256').update(text).digest('hex');
  }
  override sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('hex');
  }
}

const sealing = new Keyed('ours');

function trail(entries: readonly unknown[]): SealedEntry[] {
  let before = GENESIS;
  return entries.map((entry, index) => {
    const seq = index + 1;
    before = linkOf(sealing, before, 'w', seq, entry);
    return { seq, entry, hash: before };
  });
}

function headAt(rows: readonly SealedEntry[], seq: number, signer: Sealing = sealing): Head {
  const head = { workspaceId: 'w', seq, hash: rows[seq - 1]?.hash ?? 'f'.repeat(64), at: 1000 + seq };
  return { ...head, mac: macOf(signer, head) };
}

function faults(rows: readonly SealedEntry[], heads: readonly Head[]): string[] {
  const check = new TrailCheck('w', heads, sealing);
  for (const row of rows) check.take(row);
  return check.end().map(({ workspaceId, seq, fault }) => `${workspaceId} ${seq} ${fault}`);
}

describe('a sealed trail', () => {
  const rows = trail([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  const heads = [headAt(rows, 2), headAt(rows, 4)];

  it('is whole as it was sealed', () => {
    expect(faults(rows, heads)).toEqual([]);
    expect(faults([], [])).toEqual([]);
    expect(faults(rows, [])).toEqual([]);
  });

  it('shows a changed row', () => {
    const changed = rows.map((row) => (row.seq === 2 ? { ...row, entry: { n: 9 } } : row));
    expect(faults(changed, heads)).toEqual(['w 2 changed']);
  });

  it('shows a removed entry, and a removed row with every gap', () => {
    const gone = rows.map((row) => (row.seq === 3 ? { ...row, entry: undefined } : row));
    expect(faults(gone, heads)).toEqual(['w 3 missing']);
    expect(faults([rows[0], rows[3]] as SealedEntry[], heads)).toEqual(['w 2 missing', 'w 3 missing']);
  });

  it('names the beginning of a gap, however wide somebody wrote it', () => {
    const found = faults([{ ...(rows[0] as SealedEntry), seq: Number.MAX_SAFE_INTEGER }], heads);
    expect(found).toHaveLength(1_000);
    expect([found[0], found.at(-1)]).toEqual(['w 1 missing', 'w 1000 missing']);
  });

  it('shows two rows that changed places', () => {
    const [a, b, c, d] = rows as [SealedEntry, SealedEntry, SealedEntry, SealedEntry];
    const swapped = [a, { ...b, entry: c.entry }, { ...c, entry: b.entry }, d];
    expect(faults(swapped, heads)).toEqual(['w 2 changed', 'w 3 changed']);
  });

  it('shows a trail that was computed anew, by the heads outside', () => {
    const anew = trail([{ n: 1 }, { n: 9 }, { n: 3 }, { n: 4 }]);
    expect(faults(anew, heads)).toEqual(['w 2 recomputed', 'w 4 recomputed']);
    expect(faults(anew, [])).toEqual([]);
  });

  it('shows a cut tail, and a trail that is gone whole', () => {
    expect(faults(rows.slice(0, 3), heads)).toEqual(['w 4 cut']);
    expect(faults([], heads)).toEqual(['w 1 cut']);
  });

  it('takes no head that somebody else signed, nor one whose time was changed', () => {
    const forged = headAt(trail([{ n: 1 }, { n: 9 }]), 2, new Keyed('theirs'));
    expect(faults(rows, [forged])).toEqual(['w 2 head-forged']);
    expect(faults(rows, [{ ...headAt(rows, 2), at: 1 }])).toEqual(['w 2 head-forged']);
  });

  it('links each row to its workspace and number', () => {
    const link = linkOf(sealing, GENESIS, 'w', 1, { n: 1 });
    expect(linkOf(sealing, GENESIS, 'v', 1, { n: 1 })).not.toBe(link);
    expect(linkOf(sealing, GENESIS, 'w', 2, { n: 1 })).not.toBe(link);
    expect(linkOf(sealing, link, 'w', 1, { n: 1 })).not.toBe(link);
  });
});

describe('canonical', () => {
  it('puts the fields of every object in order and leaves lists alone', () => {
    expect(canonical({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  });
});
