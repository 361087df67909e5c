import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeys, keysFrom } from './keys';

describe('keys', () => {
  it('are the same for the same seed, are written once with mode 0600, and are read again', () => {
    const file = join(tmpdir(), `tokens-${process.pid}.json`);
    const generate = () => generateKeys(5, { user: 2, service: 0, community: 1 }, 100);
    const keys = keysFrom(file, generate);
    expect(keys).toEqual(generate());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(keysFrom(file, () => [])).toEqual(keys);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveLength(3);
    writeFileSync(
      file,
      JSON.stringify([{ token: 'abc' }, { token: 'def', kind: 'service', bucket: 'app', perSecond: 5 }]),
    );
    expect(keysFrom(file, generate).map(({ name, perSecond, bucket }) => [name, perSecond, bucket])).toEqual([
      ['user-1', 3, 'user-1'],
      ['service-2', 5, 'app'],
    ]);
    writeFileSync(file, '[{"kind":"user"}]');
    expect(() => keysFrom(file, generate)).toThrow('entry 1 has no token or an unknown kind');
    rmSync(file);
  });
});
