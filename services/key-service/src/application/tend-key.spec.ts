import { fakeClock } from '@sociograph/testing';
import { aKey, aRequest } from '../../test/builders';
import type { KeyRest } from '../domain/key-rests';
import { RecordingAuditTrail } from '../infrastructure/in-memory';
import { InMemoryApiKeys } from '../infrastructure/in-memory-api-keys';
import { InMemoryQuotaLedger } from '../infrastructure/in-memory-quota-ledger';
import { KeyTender } from './tend-key';

const actor = { kind: 'person' as const, id: 'ada' };
const rest = { kind: 'method', name: 'wall.get', code: 29 } as KeyRest;

class Ledger extends InMemoryQuotaLedger {
  readonly ended: unknown[] = [];
  away = false;

  override async rests(): Promise<KeyRest[]> {
    if (this.away) throw new Error('no memory adopted');
    return [rest];
  }

  override async endRests(...which: unknown[]): Promise<number> {
    if (this.away) throw new Error('no memory adopted');
    this.ended.push(which);
    return 2;
  }
}

async function setUp() {
  const clock = fakeClock();
  const keys = new InMemoryApiKeys();
  const ledger = new Ledger(() => clock.nowMs());
  const audit = new RecordingAuditTrail();
  const tender = new KeyTender(keys, ledger, audit);
  for (const key of [aKey('k1'), aKey('k2', { state: 'paused' })]) {
    await keys.add(key, { dataKeyId: 'd', bytes: new Uint8Array(1) }, key.id, {
      actor,
      action: 'key.register',
    });
  }
  await ledger.define([aKey('k1')]);
  const command = { workspaceId: 'demo', keyId: 'k1', actor, correlationId: 'c' };
  return { clock, keys, ledger, audit, tender, command };
}

const unknown = { code: 'KEY_POOL.KEY_UNKNOWN' };

describe('tending a key', () => {
  it('shows rests and open leases of keys of the workspace', async () => {
    const { clock, ledger, tender } = await setUp();
    expect(await tender.rests('demo', 'k1')).toEqual([rest]);
    await ledger.grant(aRequest(clock.nowMs(), { leaseId: 'l1' }));
    expect(await tender.leases('demo', 'k1')).toMatchObject([{ leaseId: 'l1', calls: 1 }]);
    await expect(tender.rests('other', 'k1')).rejects.toMatchObject(unknown);
    await expect(tender.leases('other', 'k1')).rejects.toMatchObject(unknown);
  });

  it('probes an active key by ending its rests, and says who did it', async () => {
    const { ledger, audit, tender, command } = await setUp();
    expect(await tender.probe(command)).toBe(2);
    expect(ledger.ended).toEqual([['k1', undefined]]);
    expect(audit.deeds).toEqual([
      { workspaceId: 'demo', actor, action: 'key.probe', target: 'key/k1', correlationId: 'c' },
    ]);
  });

  it('probes neither a paused key nor one that is being replaced, nor one of another workspace', async () => {
    const { keys, ledger, audit, tender, command } = await setUp();
    await expect(tender.probe({ ...command, keyId: 'k2' })).rejects.toMatchObject({
      message: 'A key that is paused cannot be probed.',
    });
    await keys.update('demo', 'k1', (key) => key.retire('k2' as typeof key.id, 5), { actor, action: 'x' });
    await expect(tender.probe(command)).rejects.toMatchObject({ facts: { state: 'replaced' } });
    await expect(tender.probe({ ...command, workspaceId: 'other' })).rejects.toMatchObject(unknown);
    expect([ledger.ended, audit.deeds]).toEqual([[], []]);
  });

  it('ends the rests that were named', async () => {
    const { ledger, audit, tender, command } = await setUp();
    const which = { kind: 'method' as const, name: 'wall.get' };
    expect(await tender.endRests({ ...command, which })).toBe(2);
    expect(ledger.ended).toEqual([['k1', which]]);
    expect(audit.deeds).toMatchObject([{ action: 'key.end-rests', target: 'key/k1' }]);
    await expect(tender.endRests({ ...command, which, workspaceId: 'other' })).rejects.toMatchObject(unknown);
  });

  it('releases a lease of the workspace once', async () => {
    const { clock, ledger, audit, tender } = await setUp();
    await ledger.grant(aRequest(clock.nowMs(), { leaseId: 'l1' }));
    const command = { workspaceId: 'demo', leaseId: 'l1', actor, correlationId: 'c' };
    await expect(tender.release({ ...command, workspaceId: 'other' })).rejects.toMatchObject({
      code: 'KEY_POOL.LEASE_UNKNOWN',
    });
    await tender.release(command);
    await tender.release(command);
    expect(audit.deeds).toEqual([
      { workspaceId: 'demo', actor, action: 'lease.release', target: 'lease/l1', correlationId: 'c' },
    ]);
    expect(await tender.leases('demo', 'k1')).toEqual([]);
  });

  it('says that the pool cannot be asked while its memory is away', async () => {
    const { ledger, audit, tender, command } = await setUp();
    ledger.away = true;
    const away = { code: 'KEY_POOL.POOL_UNAVAILABLE', kind: 'unavailable', retryAfterSeconds: 3 };
    await expect(tender.rests('demo', 'k1')).rejects.toMatchObject(away);
    await expect(tender.probe(command)).rejects.toMatchObject(away);
    expect(audit.deeds).toEqual([]);
  });
});
