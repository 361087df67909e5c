import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskSpace } from './disk-space';

describe('the space of the stores', () => {
  let folder: string;
  let now: number;
  let space: DiskSpace;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stores-'));
    mkdirSync(join(folder, 'kafka/topic-0'), { recursive: true });
    mkdirSync(join(folder, 'arango'));
    writeFileSync(join(folder, 'a-file'), 'no store');
    writeFileSync(join(folder, 'kafka/topic-0/log'), Buffer.alloc(200_000, 1));
    now = 0;
    space = new DiskSpace(folder, () => now);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is said of every folder at once, what is in it after it was counted', async () => {
    const first = await space.look();
    expect(first.map(({ store, data }) => [store, data])).toEqual([
      ['arango', undefined],
      ['kafka', undefined],
    ]);
    for (const { available, size } of first) {
      expect(available).toBeGreaterThan(0);
      expect(size).toBeGreaterThanOrEqual(available);
    }
    await space.counted();
    const [arango, kafka] = await space.look();
    expect(arango?.data).toBe(0);
    expect(kafka?.data).toBeGreaterThanOrEqual(200_000);
    expect(kafka?.data).toBeLessThan(300_000);
  });

  it('is said of a store whose folder is a link, too', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    try {
      writeFileSync(join(elsewhere, 'base'), Buffer.alloc(100_000, 1));
      symlinkSync(elsewhere, join(folder, 'postgres'));
      symlinkSync(join(folder, 'nothing'), join(folder, 'broken'));
      await space.look();
      await space.counted();
      const disks = await space.look();
      expect(disks.map(({ store }) => store)).toEqual(['arango', 'kafka', 'postgres']);
      expect(disks[2]?.data).toBeGreaterThanOrEqual(100_000);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('is counted once a minute', async () => {
    await space.look();
    await space.counted();
    writeFileSync(join(folder, 'arango/data'), Buffer.alloc(100_000, 1));
    now = 59_999;
    await space.look();
    await space.counted();
    expect((await space.look())[0]?.data).toBe(0);
    now = 60_000;
    await space.look();
    await space.counted();
    expect((await space.look())[0]?.data).toBeGreaterThanOrEqual(100_000);
  });
});
