import type { KeyId, WorkspaceId } from '@sociograph/kernel';
import { aKey } from '../../test/builders';
import { ApiKey, type NewKey } from './api-key';

const NOW = 1_795_000_000_000;

function described(details: Partial<NewKey> = {}): NewKey {
  return {
    id: 'key-1' as KeyId,
    workspaceId: 'demo' as WorkspaceId,
    network: 'vk',
    kind: 'user',
    consent: { givenBy: 'Ada' },
    now: NOW,
    ...details,
  };
}

function faultOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a key', () => {
  it('begins active, its own bucket, with the quota of its kind and a consent of now', () => {
    expect(ApiKey.create(described()).details).toEqual({
      id: 'key-1',
      workspaceId: 'demo',
      network: 'vk',
      kind: 'user',
      label: null,
      state: 'active',
      reason: null,
      perSecond: 3,
      bucket: 'key-1',
      egress: null,
      consent: { givenBy: 'Ada', at: NOW },
      version: 1,
      tokenVersion: 1,
      createdAt: NOW,
      updatedAt: NOW,
    });
  });

  it('keeps what it was given', () => {
    const key = ApiKey.create(
      described({
        kind: 'community',
        label: 'club',
        perSecond: 12,
        egress: 'home',
        consent: { givenBy: 'Ada', at: NOW - 5 },
      }),
    );
    expect(key.details).toMatchObject({
      kind: 'community',
      label: 'club',
      perSecond: 12,
      egress: 'home',
      consent: { givenBy: 'Ada', at: NOW - 5 },
    });
  });

  it.each<[string, Partial<NewKey>, string]>([
    ['an unknown network', { network: 'orkut' }, 'network'],
    ['no call a second', { perSecond: 0 }, 'limits.perSecond'],
    ['half a call', { perSecond: 1.5 }, 'limits.perSecond'],
    ['more than its kind has', { perSecond: 4 }, 'limits.perSecond'],
    ['nobody who consented', { consent: { givenBy: '  ' } }, 'consent.givenBy'],
    ['a consent of tomorrow', { consent: { givenBy: 'Ada', at: NOW + 1 } }, 'consent.at'],
  ])('refuses %s and names the field', (_, details, field) => {
    expect(faultOf(() => ApiKey.create(described(details)))).toMatchObject({
      code: 'KEY_POOL.KEY_INVALID',
      kind: 'invalid-input',
      fields: [{ field }],
    });
  });

  it('takes every figure up to the quota of its kind', () => {
    expect(ApiKey.create(described({ perSecond: 1 })).details.perSecond).toBe(1);
    expect(ApiKey.create(described({ perSecond: 3 })).details.perSecond).toBe(3);
    expect(ApiKey.create(described({ kind: 'community', perSecond: 20 })).details.perSecond).toBe(20);
  });

  it('pauses and resumes, each time a version further', () => {
    const paused = aKey('k').pause(7);
    expect(paused.details).toMatchObject({ state: 'paused', version: 2, updatedAt: 7, createdAt: 1 });
    const resumed = paused.resume(9);
    expect(resumed.details).toMatchObject({ state: 'active', version: 3, updatedAt: 9 });
  });

  it('is itself after a change that changes nothing', () => {
    const active = aKey('k');
    const paused = aKey('k', { state: 'paused' });
    const deleted = aKey('k', { state: 'deleted' });
    const invalid = aKey('k', { state: 'invalid' });
    expect(active.resume(2)).toBe(active);
    expect(paused.pause(2)).toBe(paused);
    expect(deleted.delete(2)).toBe(deleted);
    expect(invalid.invalidate('x', 2)).toBe(invalid);
    expect(deleted.invalidate('x', 2)).toBe(deleted);
  });

  it.each(['invalid', 'replaced', 'deleted'] as const)(
    'neither pauses nor resumes when it is %s',
    (state) => {
      const expected = { code: 'KEY_POOL.KEY_STATE', kind: 'conflict', facts: { state } };
      expect(faultOf(() => aKey('k', { state }).pause(2))).toMatchObject(expected);
      expect(faultOf(() => aKey('k', { state }).resume(2))).toMatchObject(expected);
      expect(faultOf(() => aKey('k', { state }).pause(2))).toMatchObject({
        message: `A key that is ${state} cannot be paused.`,
      });
      expect(faultOf(() => aKey('k', { state }).resume(2))).toMatchObject({
        message: `A key that is ${state} cannot be resumed.`,
      });
    },
  );

  it.each(['active', 'paused'] as const)('becomes invalid with a reason when it is %s', (state) => {
    expect(aKey('k', { state }).invalidate('token-refused', 5).details).toMatchObject({
      state: 'invalid',
      reason: 'token-refused',
      version: 2,
      updatedAt: 5,
    });
  });

  it.each(['active', 'paused', 'invalid', 'replaced'] as const)('can be deleted when it is %s', (state) => {
    const gone = aKey('k', { state, reason: 'token-refused' }).delete(5);
    expect(gone.details).toMatchObject({ state: 'deleted', reason: null, version: 2, updatedAt: 5 });
    expect(gone.state).toBe('deleted');
    expect(gone.id).toBe('k');
  });
});
