import { contractTarget, readConfig } from './config';

describe('the server of the contract suite', () => {
  it('is the stand-in unless a URL is given', () => {
    expect(contractTarget({})).toBeUndefined();
    expect(contractTarget({ ARANGO_CONTRACT_URL: '' })).toBeUndefined();
  });

  it.each([
    ['http://arango:8529', {}, { url: 'http://arango:8529', username: 'root', password: '' }],
    [
      'https://me:a%40b@arango:8529/',
      { ARANGO_CONTRACT_PASSWORD: 'other' },
      { url: 'https://arango:8529', username: 'me', password: 'a@b' },
    ],
    [
      'http://me@arango:8529',
      { ARANGO_CONTRACT_PASSWORD: 'secret' },
      { url: 'http://arango:8529', username: 'me', password: 'secret' },
    ],
  ])('is read from %s', (url, env, target) => {
    expect(contractTarget({ ...env, ARANGO_CONTRACT_URL: url })).toEqual(target);
  });

  it('must be a URL', () => {
    expect(() => contractTarget({ ARANGO_CONTRACT_URL: 'nonsense' })).toThrow('is no URL');
  });
});

describe('configuration', () => {
  const least = { ARANGO_EMBEDDED_DATA_DIR: '/d', ARANGO_EMBEDDED_NO_AUTH: '1' };

  it('has a default for all but the folder and the accounts', () => {
    expect(readConfig(least)).toEqual({
      host: '127.0.0.1',
      port: 8529,
      dataDir: '/d',
      accounts: undefined,
      database: 'sociograph',
      testMode: undefined,
    });
  });

  it.each([
    [{ ARANGO_EMBEDDED_NO_AUTH: '1' }, 'ARANGO_EMBEDDED_DATA_DIR is missing'],
    [{ ARANGO_EMBEDDED_DATA_DIR: '/d' }, 'ARANGO_EMBEDDED_USERS_FILE is missing'],
    [{ ARANGO_EMBEDDED_DATA_DIR: '/d', ARANGO_EMBEDDED_NO_AUTH: 'yes' }, 'ARANGO_EMBEDDED_USERS_FILE'],
    [{ ...least, ARANGO_EMBEDDED_PORT: '65536' }, 'no port number'],
    [{ ...least, ARANGO_EMBEDDED_PORT: '-1' }, 'no port number'],
    [{ ...least, ARANGO_EMBEDDED_PORT: '1.5' }, 'no port number'],
    [{ ARANGO_EMBEDDED_DATA_DIR: '/d', ARANGO_EMBEDDED_USERS_FILE: '/nowhere' }, 'cannot be read'],
  ])('says what is wrong with %j', (env, sentence) => {
    expect(() => readConfig(env)).toThrow(sentence);
  });

  it('reads test mode only when it is asked for', () => {
    expect(readConfig({ ...least, ARANGO_EMBEDDED_TEST_SEED: '7' }).testMode).toBeUndefined();
    const on = { ...least, ARANGO_EMBEDDED_TEST_MODE: '1' };
    expect(readConfig(on).testMode).toEqual({ seed: 1, conflictRate: 0.01 });
    const set = { ...on, ARANGO_EMBEDDED_TEST_SEED: '7', ARANGO_EMBEDDED_CONFLICT_RATE: '0.5' };
    expect(readConfig(set).testMode).toEqual({ seed: 7, conflictRate: 0.5 });
  });

  it('takes port 0 and 65535', () => {
    expect(readConfig({ ...least, ARANGO_EMBEDDED_PORT: '0' }).port).toBe(0);
    expect(readConfig({ ...least, ARANGO_EMBEDDED_PORT: '65535' }).port).toBe(65535);
  });
});
