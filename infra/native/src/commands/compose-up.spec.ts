import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Secrets } from '../secrets';
import { composeEnvironment, renderEnvironmentFile, variableOf } from './compose-up';

const ROOT = resolve(__dirname, '../../../..');

describe('the environment of docker-compose.yml', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'compose-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('has every variable that the file wants and none that it does not know', () => {
    const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
    // `${NAME}` must be given; `${NAME:-usual}` need not, and `$$NAME` is the container's own.
    const wanted = [
      ...text.matchAll(/(?<!\$)\$\{([A-Z_]+)\}/g),
      ...text.matchAll(/environment: ([A-Z_]+) ?\}/g),
    ].map(([, name]) => name as string);
    const given = Object.keys(composeEnvironment({ secrets: new Secrets(dir) }, { uid: 1, gid: 2 }));
    expect([...new Set(wanted)].sort()).toEqual([...given].sort());
  });

  it('is the same at every start', () => {
    const make = (): object => composeEnvironment({ secrets: new Secrets(dir) }, { uid: 1, gid: 2 });
    expect(make()).toEqual(make());
  });

  it('is written so that nothing in a value is expanded', () => {
    expect(renderEnvironmentFile({ A: '$x', B: "it's", C: 'two\nlines' })).toBe(
      "A='$x'\nB='it\\'s'\nC='two\nlines'\n",
    );
  });

  it('names a variable after its secret', () => {
    expect(variableOf('redis-pool.key-service')).toBe('REDIS_POOL_KEY_SERVICE');
    expect(variableOf('postgres.key_service_app')).toBe('POSTGRES_KEY_SERVICE_APP');
  });
});
