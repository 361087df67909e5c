import { DomainError } from './domain-error';
import { type Deed, WriteAudit } from './write-audit';

const deed: Deed = { workspaceId: 'w', by: 'ada', action: 'export.create', target: 'export/1' };

class Trail extends WriteAudit {
  readonly told: unknown[] = [];
  away = false;

  override async record(...words: unknown[]): Promise<void> {
    if (this.away) throw new Error('away');
    this.told.push(words);
  }
}

describe('an audited write', () => {
  it('is in the trail before it is done', async () => {
    const trail = new Trail();
    expect(await trail.around(deed, async () => [...trail.told])).toEqual([[deed]]);
    expect(trail.told).toEqual([[deed]]);
  });

  it('is not done when the trail cannot have it', async () => {
    const trail = new Trail();
    trail.away = true;
    let done = false;
    await expect(trail.around(deed, async () => (done = true))).rejects.toThrow('away');
    expect(done).toBe(false);
  });

  it.each([
    [new DomainError({ code: 'EXPORT.TOO_MANY', kind: 'too-many', message: 'No.' }), 'EXPORT.TOO_MANY'],
    [new Error('broken'), 'UNEXPECTED'],
  ])('that fails is recorded as failed (%s)', async (error, reason) => {
    const trail = new Trail();
    await expect(trail.around(deed, () => Promise.reject(error))).rejects.toBe(error);
    expect(trail.told).toEqual([[deed], [deed, { result: 'failed', reason }]]);
  });

  it('fails with its own error also when the trail is away by then', async () => {
    const trail = new Trail();
    const failing = trail.around(deed, async () => {
      trail.away = true;
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
  });
});
