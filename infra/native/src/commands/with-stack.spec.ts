import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withStack } from './with-stack';

describe('a command with the environment of a stack', () => {
  let dir: string;
  const run = (...words: string[]): Promise<number> => withStack({ dir, name: 'mine', root: dir }, words);

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'with-'));
    writeFileSync(join(dir, 'env.json'), JSON.stringify({ ADMIN_DATABASE_URL: 'postgresql://a' }));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('sees the addresses by their names, in the root of the repository', async () => {
    expect(await run('printf "%s"', '"$ADMIN_DATABASE_URL" > seen')).toBe(0);
    expect(readFileSync(join(dir, 'seen'), 'utf8')).toBe('postgresql://a');
  });

  it('ends with the exit code of the command', async () => {
    expect(await run('exit 3')).toBe(3);
    expect(await run('no-such-program-as-this 2>/dev/null')).toBe(127);
  });

  it('is asked for, and needs a stack that was started', () => {
    expect(() => run()).toThrow('Give a command in quotes');
    rmSync(join(dir, 'env.json'));
    expect(() => run('true')).toThrow('Stack mine was never started');
  });
});
