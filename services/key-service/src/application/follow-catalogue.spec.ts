import { DomainError } from '@sociograph/kernel';
import { aKey } from '../../test/builders';
import { CatalogueFollower } from './follow-catalogue';
import type { Differing } from './key-ring';
import { InvalidKeys } from './write-invalid-keys';

function follower(differing: Differing[]) {
  const told: unknown[][] = [];
  const steps: string[] = [];
  const made = new CatalogueFollower(
    {
      refresh: async () => (steps.push('refresh'), differing),
      defineAll: async () => (steps.push('define all'), differing),
      compareNext: async (count) => (steps.push(`compare ${count}`), differing),
    },
    { slotsFreed: async () => void steps.push('deal') },
    { note: (...note) => void told.push(note) },
    { refresh: (...refresh) => void told.push(['refresh', ...refresh]) },
  );
  return { made, told, steps };
}

describe('following the catalogue', () => {
  it('takes over what changed, then tries everyone who waits', async () => {
    const { made, steps, told } = follower([]);
    await made.refresh();
    expect(steps).toEqual(['refresh', 'deal']);
    await made.teachAnew();
    expect(steps).toEqual(['refresh', 'deal', 'define all']);
    expect(told).toEqual([]);
  });

  it('notes the active keys that the ledger has as invalid', async () => {
    const differing = [
      { key: aKey('k1'), state: 'invalid' },
      { key: aKey('k2'), state: 'paused' },
      { key: aKey('k3').pause(1), state: 'invalid' },
    ];
    const { made, told } = follower(differing);
    await made.refresh();
    expect(told).toEqual([['k1', 'token-refused', 'key-service']]);
    await made.teachAnew();
    expect(told).toHaveLength(2);
  });
});

describe('comparing with the pool', () => {
  it('notes what the ledger alone knows, and deals nothing anew', async () => {
    const { made, steps, told } = follower([{ key: aKey('k1'), state: 'invalid' }]);
    await made.compare();
    expect(steps).toEqual(['compare 100']);
    expect(told).toEqual([['k1', 'token-refused', 'key-service']]);
  });
});

describe('keys that rest until they have another token', () => {
  it('are taken up again after the process that knew it ended', async () => {
    const differing = [
      { key: aKey('k1', { tokenVersion: 3 }), state: 'refreshing' },
      { key: aKey('k2').pause(1), state: 'refreshing' },
    ];
    const { made, told } = follower(differing);
    await made.refresh();
    expect(told).toEqual([['refresh', 'k1', 3, 'token-refused', 'key-service']]);
  });
});

describe('keys that answers made invalid', () => {
  const keysOf = (write: (id: string) => Promise<void>) => {
    const written: unknown[][] = [];
    const invalid = new InvalidKeys(
      { key: (id) => (id === 'unknown' ? undefined : aKey(id)) },
      {
        invalidate: async (...row) => {
          await write(row[1]);
          written.push(row);
          return aKey(row[1]);
        },
      },
    );
    return { invalid, written };
  };

  it('are written once, with the reason and the service that told', async () => {
    const { invalid, written } = keysOf(async () => undefined);
    invalid.note('k1', 'token-refused', 'parser-service');
    invalid.note('unknown', 'token-refused', 'parser-service');
    // Found again by comparing before the row was written: less is known of it there.
    invalid.note('k1', 'compared', 'key-service');
    await invalid.write();
    await invalid.write();
    expect(written).toEqual([['demo', 'k1', 'token-refused', 'parser-service']]);
  });

  it('stay noted while their row cannot be written, and are let go when it is deleted', async () => {
    let fault: Error | undefined = new Error('PostgreSQL is away');
    const { invalid, written } = keysOf(async () => {
      if (fault !== undefined) throw fault;
    });
    invalid.note('k1', 'token-refused', 'parser-service');
    await expect(invalid.write()).rejects.toThrow('PostgreSQL is away');
    fault = new DomainError({ code: 'KEY_POOL.KEY_UNKNOWN', kind: 'not-found', message: 'No such key.' });
    await invalid.write();
    fault = undefined;
    await invalid.write();
    expect(written).toEqual([]);
    fault = new DomainError({ code: 'KEY_POOL.VAULT_UNAVAILABLE', kind: 'unavailable', message: 'Later.' });
    invalid.note('k2', 'token-refused', 'parser-service');
    await expect(invalid.write()).rejects.toThrow('Later.');
    fault = undefined;
    await invalid.write();
    expect(written).toEqual([['demo', 'k2', 'token-refused', 'parser-service']]);
  });
});
