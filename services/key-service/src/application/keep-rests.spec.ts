import { fakeClock } from '@sociograph/testing';
import { aKey } from '../../test/builders';
import type { KeyRest, StoredRest } from '../domain/key-rests';
import type { KeyEvent } from '../domain/key-events';
import { InMemoryKeyRests } from '../infrastructure/in-memory-refreshes';
import { RestKeeper } from './keep-rests';

const MINUTE = 60_000;

function setUp(listed: KeyRest[] = []) {
  const rests = new InMemoryKeyRests();
  const restored: StoredRest[] = [];
  const ended: unknown[][] = [];
  const keeper = new RestKeeper(
    rests,
    {
      restoreRests: async (stored) => restored.push(...stored),
      endRests: async (...which) => ended.push(which),
      rests: async () => listed,
    },
    { key: (id) => (id === 'unknown' ? undefined : aKey(id, { tokenVersion: 3 })) },
    fakeClock(5_000),
  );
  return { rests, restored, ended, keeper };
}

const event = (kind: KeyEvent['kind'], details: Partial<KeyEvent> = {}): KeyEvent => ({
  keyId: 'k1',
  kind,
  code: 29,
  forMs: MINUTE,
  untilAt: 5 * MINUTE,
  ...details,
});

const rest = { keyId: 'k1', tokenVersion: 3, untilAt: 5 * MINUTE, lengthMs: MINUTE, code: 29 };

describe('rests that outlive the memory of the pool', () => {
  it.each([
    ['method-resting', { method: 'wall.get' }, { kind: 'method', name: 'wall.get', barred: false }],
    ['method-barred', { method: 'wall.get' }, { kind: 'method', name: 'wall.get', barred: true }],
    ['egress-barred', { egress: 'home' }, { kind: 'egress', name: 'home', barred: true }],
    ['resting', {}, { kind: 'key', name: '', barred: false }],
  ] as const)('writes what it hears: %s', async (kind, details, kept) => {
    const { keeper, rests } = setUp();
    keeper.note(event(kind, details));
    expect(rests.kept.size).toBe(0);
    await keeper.write();
    expect([...rests.kept.values()]).toEqual([{ ...rest, ...kept }]);
  });

  it('leaves short rests, circuits and keys alone that it does not know', async () => {
    const { keeper, rests } = setUp();
    keeper.note(event('resting', { forMs: MINUTE - 1 }));
    keeper.note(event('circuit-open'));
    keeper.note(event('invalid', { untilAt: undefined }));
    keeper.note(event('method-resting', { keyId: 'unknown', method: 'wall.get' }));
    await keeper.write();
    expect(rests.kept.size).toBe(0);
  });

  it('forgets what came back', async () => {
    const { keeper, rests } = setUp();
    keeper.note(event('method-resting', { method: 'wall.get' }));
    keeper.note(event('egress-barred', { egress: 'home' }));
    await keeper.write();
    expect(rests.kept.size).toBe(2);
    keeper.note(event('method-returned', { method: 'wall.get', untilAt: undefined }));
    await keeper.write();
    expect([...rests.kept.keys()]).toEqual(['k1 egress home']);
    keeper.note(event('egress-returned', { egress: 'home', untilAt: undefined }));
    await keeper.write();
    expect(rests.kept.size).toBe(0);
  });

  it('writes again what could not be written, unless something newer is known', async () => {
    const { keeper, rests } = setUp();
    rests.fault = new Error('PostgreSQL is away');
    keeper.note(event('method-resting', { method: 'a' }));
    keeper.note(event('method-resting', { method: 'b' }));
    const failed = keeper.write();
    keeper.note(event('method-resting', { method: 'a', code: 30 }));
    await expect(failed).rejects.toThrow('PostgreSQL is away');
    rests.fault = undefined;
    await keeper.write();
    expect([...rests.kept.values()].map(({ name, code }) => [name, code]).sort()).toEqual([
      ['a', 30],
      ['b', 29],
    ]);
  });

  it('tells a new memory all of them, and nothing when there are none', async () => {
    const { keeper, restored } = setUp();
    expect(await keeper.restore()).toBe(0);
    keeper.note(event('method-resting', { method: 'wall.get' }));
    await keeper.write();
    expect(await keeper.restore()).toBe(1);
    expect(restored).toEqual([{ ...rest, kind: 'method', name: 'wall.get', barred: false }]);
  });

  it('lists the rests of a key, and ends those that are meant, here and there', async () => {
    const shown = { untilAt: 1, lengthMs: 1, code: 29, onTrial: false, barred: false };
    const listed: KeyRest[] = [
      { kind: 'method', name: 'a', ...shown },
      { kind: 'method', name: 'b', ...shown },
      { kind: 'egress', name: 'a', ...shown },
      { kind: 'circuit', name: '', ...shown },
    ];
    const { keeper, rests, ended } = setUp(listed);
    expect(await keeper.list('k1')).toBe(listed);
    keeper.note(event('method-resting', { method: 'a' }));
    keeper.note(event('method-resting', { method: 'b' }));
    keeper.note(event('egress-barred', { egress: 'a' }));
    await keeper.write();
    await keeper.end('k1', { kind: 'method', name: 'a' });
    expect([...rests.kept.keys()]).toEqual(['k1 method b', 'k1 egress a']);
    await keeper.end('k1', { kind: 'method' });
    expect([...rests.kept.keys()]).toEqual(['k1 egress a']);
    expect(await keeper.end('k1')).toBe(3);
    expect(rests.kept.size).toBe(0);
    expect(ended).toEqual([
      ['k1', { kind: 'method', name: 'a' }],
      ['k1', { kind: 'method' }],
      ['k1', {}],
    ]);
  });
});
