import {
  keyChangedMeanwhile,
  keyConflict,
  keyInput,
  keyUnknown,
  sealBroken,
  tokenKnown,
  vaultUnavailable,
} from './errors';

describe('the errors of the key pool', () => {
  it.each([
    [keyUnknown(), 'KEY_POOL.KEY_UNKNOWN', 'not-found'],
    [keyInput('token', 'must be shorter'), 'KEY_POOL.KEY_INVALID', 'invalid-input'],
    [keyConflict('deleted', 'paused'), 'KEY_POOL.KEY_STATE', 'conflict'],
    [tokenKnown(), 'KEY_POOL.TOKEN_REGISTERED', 'conflict'],
    [keyChangedMeanwhile(), 'KEY_POOL.KEY_CHANGED', 'precondition-failed'],
    [vaultUnavailable(new Error('x')), 'KEY_POOL.VAULT_UNAVAILABLE', 'unavailable'],
    [sealBroken(), 'KEY_POOL.SEAL_BROKEN', 'bug'],
  ])('are stable in code and kind: %s', (error, code, kind) => {
    expect(error).toMatchObject({ code, kind });
  });

  it('names fields, a time to come back, and causes', () => {
    const cause = new Error('x');
    expect(keyInput('token', 'must be shorter').fields).toEqual([
      { field: 'token', message: 'must be shorter' },
    ]);
    expect(tokenKnown().fields).toEqual([{ field: 'token', message: 'is registered already' }]);
    expect(vaultUnavailable(cause)).toMatchObject({ retryAfterSeconds: 1, cause });
    expect(sealBroken(cause).cause).toBe(cause);
  });
});
