import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExportDraft } from '../src/domain/export-ports';
import { DuckDbExportDrafts } from '../src/infrastructure/duckdb-export-drafts';

jest.setTimeout(60_000);

describe('DuckDbExportDrafts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drafts-'));
  const { signal } = new AbortController();
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function filled(id: string): Promise<ExportDraft> {
    const draft = await new DuckDbExportDrafts(folder).open(id, signal);
    draft.addPeople([{ id: '1', member: true, state: 'active', profile: {}, observedAt: 1 }]);
    return draft;
  }

  it('keeps attempts at the same export apart: one that was given up ends beside the next one', async () => {
    const first = await filled('e');
    const second = await filled('e');
    await first.discard();
    expect(await second.complete()).toEqual({ people: 1, friendships: 0 });
    let bytes = 0;
    for await (const chunk of second.contents('csv', { name: 'e', madeAt: 1 })) bytes += chunk.byteLength;
    expect(bytes).toBeGreaterThan(100);
    await second.discard();
    expect(readdirSync(join(folder, 'drafts'))).toEqual([]);
  });
});
