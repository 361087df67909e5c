import type { KeyId, WorkspaceId } from '@sociograph/kernel';
import { aKey } from '../../test/builders';
import { ApiKey, type NewKey } from './api-key';

const NOW = 1_795_000_000_000;
const B = 'key-b' as KeyId;

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

function conflict(state: string, wish: string): object {
  return {
    code: 'KEY_POOL.KEY_STATE',
    kind: 'conflict',
    facts: { state },
    message: `A key that is ${state} cannot be ${wish}.`,
  };
}

const gone = { givenBy: 'owner', at: 1, endedAt: 3 };

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
      limits: { perSecond: 3 },
      weight: 1,
      bucket: 'key-1',
      egress: null,
      ownerId: null,
      scopes: [],
      sharedWith: [],
      consent: { givenBy: 'Ada', at: NOW, endedAt: null },
      replaces: null,
      replacedBy: null,
      lastUsedAt: null,
      version: 1,
      tokenVersion: 1,
      createdAt: NOW,
      updatedAt: NOW,
    });
  });

  it('keeps what it was given', () => {
    const given = {
      kind: 'community' as const,
      label: 'club',
      limits: { perSecond: 12, perDay: 1000 },
      weight: 7,
      egress: 'home',
      ownerId: '77',
      scopes: ['wall'],
    };
    const key = ApiKey.create(
      described({ ...given, consent: { givenBy: 'Ada', at: NOW - 5 }, bucket: 'app' }),
    );
    expect(key.details).toMatchObject({
      ...given,
      consent: { givenBy: 'Ada', at: NOW - 5, endedAt: null },
      bucket: 'demo:vk:app',
    });
    expect(key.namedBucket).toBe('app');
    const alone = ApiKey.create(described({ ownBucket: 'token:x' }));
    expect([alone.details.bucket, alone.namedBucket]).toEqual(['token:x', null]);
  });

  it.each<[string, Partial<NewKey>, string]>([
    ['an unknown network', { network: 'orkut' }, 'network'],
    ['no call a second', { limits: { perSecond: 0 } }, 'limits.perSecond'],
    ['more than its kind has', { limits: { perSecond: 4 } }, 'limits.perSecond'],
    ['no weight', { weight: 0 }, 'weight'],
    ['a scope of two words', { scopes: ['a b'] }, 'scopes.0'],
    ['nobody who consented', { consent: { givenBy: '  ' } }, 'consent.givenBy'],
    ['a consent of tomorrow', { consent: { givenBy: 'Ada', at: NOW + 1 } }, 'consent.at'],
  ])('refuses %s and names the field', (_, details, field) => {
    expect(faultOf(() => ApiKey.create(described(details)))).toMatchObject({
      code: 'KEY_POOL.KEY_INVALID',
      kind: 'invalid-input',
      fields: [{ field }],
    });
  });

  it('says who must name himself and when', () => {
    expect(faultOf(() => ApiKey.create(described({ network: 'orkut' })))).toMatchObject({
      fields: [{ message: 'is not a network that the pool knows' }],
    });
    expect(faultOf(() => ApiKey.create(described({ consent: { givenBy: '' } })))).toMatchObject({
      fields: [{ message: 'must name who consented' }],
    });
    expect(faultOf(() => ApiKey.create(described({ consent: { givenBy: 'A', at: NOW + 1 } })))).toMatchObject(
      {
        fields: [{ message: 'must not lie in the future' }],
      },
    );
  });

  it('takes every figure up to the quota of its kind', () => {
    expect(ApiKey.create(described({ limits: { perSecond: 1 } })).details.limits.perSecond).toBe(1);
    expect(ApiKey.create(described({ limits: { perSecond: 3 } })).details.limits.perSecond).toBe(3);
    const club = described({ kind: 'community', limits: { perSecond: 20 } });
    expect(ApiKey.create(club).details.limits.perSecond).toBe(20);
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
    expect(active.share([], 2)).toBe(active);
    expect(active.amend({}, 'own', 2)).toBe(active);
    expect(active.amend({ weight: 1, limits: { perSecond: 3 }, label: null }, 'own', 2)).toBe(active);
  });

  it.each(['invalid', 'replaced', 'deleted'] as const)(
    'neither pauses nor resumes when it is %s',
    (state) => {
      expect(faultOf(() => aKey('k', { state }).pause(2))).toMatchObject(conflict(state, 'paused'));
      expect(faultOf(() => aKey('k', { state }).resume(2))).toMatchObject(conflict(state, 'resumed'));
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
    const deleted = aKey('k', { state, reason: 'token-refused' }).delete(5);
    expect(deleted.details).toMatchObject({ state: 'deleted', reason: null, version: 2, updatedAt: 5 });
    expect(deleted.state).toBe('deleted');
    expect(deleted.id).toBe('k');
  });
});

describe('the settings of a key', () => {
  it('change one by one, each time a version further', () => {
    const key = aKey('k', {
      label: 'old',
      egress: 'home',
      ownerId: '7',
      scopes: ['a'],
      bucket: 'demo:vk:app',
    });
    const changed = key.amend({ weight: 5 }, 'own', 9);
    expect(changed.details).toEqual({ ...key.details, weight: 5, version: 2, updatedAt: 9 });
    const all = key.amend(
      { label: 'new', limits: { perSecond: 1, perDay: 5 }, egress: 'away', ownerId: '8', scopes: ['b'] },
      'own',
      9,
    );
    expect(all.details).toMatchObject({
      label: 'new',
      limits: { perSecond: 1, perDay: 5 },
      weight: 1,
      egress: 'away',
      ownerId: '8',
      scopes: ['b'],
      bucket: 'demo:vk:app',
      version: 2,
    });
    const none = key.amend({ label: null, egress: null, ownerId: null, bucket: null }, 'own', 9);
    expect(none.details).toMatchObject({ label: null, egress: null, ownerId: null, bucket: 'own' });
    expect(key.amend({ bucket: 'other' }, 'own', 9).details.bucket).toBe('demo:vk:other');
  });

  it('obey the same rules as at the beginning', () => {
    const key = aKey('k', { kind: 'community' });
    expect(key.amend({ limits: { perSecond: 20 } }, 'own', 2).details.limits).toEqual({ perSecond: 20 });
    expect(faultOf(() => key.amend({ limits: { perSecond: 21 } }, 'own', 2))).toMatchObject({
      fields: [{ field: 'limits.perSecond' }],
    });
    expect(faultOf(() => key.amend({ weight: 101 }, 'own', 2))).toMatchObject({
      fields: [{ field: 'weight' }],
    });
    expect(faultOf(() => key.amend({ scopes: [''] }, 'own', 2))).toMatchObject({
      fields: [{ field: 'scopes.0' }],
    });
    const retired = aKey('k', { network: 'gone', perSecond: 2 });
    expect(faultOf(() => retired.amend({ limits: { perSecond: 3 } }, 'own', 2))).toMatchObject({
      fields: [{ field: 'limits.perSecond', message: 'must be a whole number from 1 to 2' }],
    });
  });

  it('stay as they are once its token is over', () => {
    for (const state of ['deleted', 'replaced'] as const) {
      expect(faultOf(() => aKey('k', { state }).amend({ weight: 2 }, 'own', 2))).toMatchObject(
        conflict(state, 'changed'),
      );
      expect(faultOf(() => aKey('k', { state }).share(['other'], 2))).toMatchObject(
        conflict(state, 'shared'),
      );
    }
    const withdrawn = aKey('k', { state: 'invalid', consent: gone });
    expect(faultOf(() => withdrawn.amend({ weight: 2 }, 'own', 2))).toMatchObject(
      conflict('without consent', 'changed'),
    );
    expect(faultOf(() => withdrawn.share(['other'], 2))).toMatchObject(conflict('without consent', 'shared'));
  });

  it('name the workspaces that may lease it too', () => {
    const shared = aKey('k').share(['beta', 'alpha'], 5);
    expect(shared.details).toMatchObject({ sharedWith: ['alpha', 'beta'], version: 2, updatedAt: 5 });
    expect(shared.share([], 6).details).toMatchObject({ sharedWith: [], version: 3 });
    expect(faultOf(() => aKey('k').share(['demo'], 5))).toMatchObject({
      fields: [{ field: 'workspaces.0' }],
    });
  });
});

describe('the consent to a key', () => {
  it.each(['active', 'paused', 'invalid'] as const)('can be withdrawn when it is %s', (state) => {
    const key = aKey('k', { state, sharedWith: ['other'] }).withdrawConsent(7);
    expect(key.details).toMatchObject({
      state: 'invalid',
      reason: 'consent-withdrawn',
      consent: { givenBy: 'owner', at: 1, endedAt: 7 },
      sharedWith: [],
      version: 2,
      updatedAt: 7,
    });
    expect(key.tokenIsOver).toBe(true);
    expect(key.withdrawConsent(9)).toBe(key);
    expect(faultOf(() => key.resume(9))).toMatchObject(conflict('invalid', 'resumed'));
  });

  it.each(['replaced', 'deleted'] as const)('ends for a key that is %s, which stays so', (state) => {
    expect(aKey('k', { state }).withdrawConsent(7).details).toMatchObject({
      state,
      reason: null,
      consent: { endedAt: 7 },
    });
  });

  it('keeps the token for as long as it may be needed', () => {
    expect(aKey('k').tokenIsOver).toBe(false);
    expect(aKey('k', { state: 'paused' }).tokenIsOver).toBe(false);
    expect(aKey('k', { state: 'invalid' }).tokenIsOver).toBe(false);
    expect(aKey('k', { state: 'replaced' }).tokenIsOver).toBe(true);
    expect(aKey('k', { state: 'deleted' }).tokenIsOver).toBe(true);
  });
});

describe('the successor of a key', () => {
  it('has its settings and its bucket, and begins anew', () => {
    const old = aKey('a', {
      label: 'main',
      weight: 4,
      perSecond: 2,
      egress: 'home',
      sharedWith: ['other'],
      version: 9,
      tokenVersion: 3,
      lastUsedAt: 5,
      state: 'invalid',
      reason: 'token-refused',
    });
    const next = old.successor({ id: B }, 50);
    expect(next.details).toEqual({
      ...old.details,
      id: 'key-b',
      state: 'active',
      reason: null,
      replaces: 'a',
      lastUsedAt: null,
      version: 1,
      tokenVersion: 1,
      refreshable: false,
      createdAt: 50,
      updatedAt: 50,
    });
    expect(next.details.bucket).toBe('a');
    const pair = aKey('a', { refreshable: true });
    expect(pair.successor({ id: B }, 50).details.refreshable).toBe(false);
    expect(pair.successor({ id: B, refreshable: true }, 50).details.refreshable).toBe(true);
  });

  it('is paused when the key was, and has a consent of its own when one was given', () => {
    expect(aKey('a', { state: 'paused' }).successor({ id: B }, 50).state).toBe('paused');
    const consent = { givenBy: 'Bob', at: 40 };
    expect(aKey('a').successor({ id: B, consent }, 50).details.consent).toEqual({
      ...consent,
      endedAt: null,
    });
    expect(
      faultOf(() => aKey('a').successor({ id: B, consent: { givenBy: 'Bob', at: 51 } }, 50)),
    ).toMatchObject({
      fields: [{ field: 'consent.at' }],
    });
  });

  it('is leased instead at once, while the open leases of the key may end', () => {
    const retiring = aKey('a').retire(B, 5);
    expect(retiring.details).toMatchObject({
      state: 'active',
      replacedBy: 'key-b',
      version: 2,
      updatedAt: 5,
    });
    expect(retiring.stateInPool).toBe('replaced');
    expect(retiring.tokenIsOver).toBe(false);
    expect(aKey('a', { state: 'paused', replacedBy: B }).stateInPool).toBe('paused');
    expect(aKey('a').stateInPool).toBe('active');
    const done = retiring.finishReplacement(9);
    expect(done.details).toMatchObject({ state: 'replaced', reason: null, replacedBy: 'key-b', version: 3 });
    expect(done.finishReplacement(10)).toBe(done);
    expect(done.details.updatedAt).toBe(9);
  });

  it('comes once, and only while the token of the key could be used', () => {
    expect(faultOf(() => aKey('a').retire(B, 5).retire(B, 6))).toMatchObject(
      conflict('being replaced', 'rotated'),
    );
    expect(faultOf(() => aKey('a', { state: 'deleted' }).retire(B, 5))).toMatchObject(
      conflict('deleted', 'rotated'),
    );
    const withdrawn = aKey('a', { state: 'invalid', consent: gone });
    expect(faultOf(() => withdrawn.retire(B, 5))).toMatchObject(conflict('without consent', 'rotated'));
    expect(aKey('a', { state: 'invalid' }).retire(B, 5).details.replacedBy).toBe('key-b');
    expect(aKey('a', { state: 'invalid', replacedBy: B }).finishReplacement(6).state).toBe('replaced');
  });

  it('ends no key that has none, or whose token is over', () => {
    const alone = aKey('a');
    expect(alone.finishReplacement(5)).toBe(alone);
    const deleted = aKey('a', { state: 'deleted', replacedBy: B });
    expect(deleted.finishReplacement(5)).toBe(deleted);
  });
});
