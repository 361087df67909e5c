import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BACKUP_USAGE, backupCommand, BackupRefused, RESTORE_USAGE, restoreCommand } from './arguments';

const PAGE = resolve(__dirname, '../../../../docs/runbook/backup-and-restore.md');

describe('npm run backup', () => {
  it('takes a backup of a stack into a folder, keys elsewhere when asked to', () => {
    expect(backupCommand(['--to', 'f'])).toEqual({ kind: 'take', stack: 'dev', to: 'f', keysTo: undefined });
    expect(backupCommand(['--', '--stack=test', '--to=f', '--keys-to', 'k'], 'other')).toEqual({
      kind: 'take',
      stack: 'test',
      to: 'f',
      keysTo: 'k',
    });
  });

  it('notes erasures, verifies, helps', () => {
    expect(backupCommand(['erasures', '--to', 'f'], 'other')).toEqual({
      kind: 'erasures',
      stack: 'other',
      to: 'f',
    });
    expect(backupCommand(['verify', '--from', 'f'])).toEqual({ kind: 'verify', from: 'f' });
    expect(backupCommand(['-h'])).toEqual({ kind: 'help' });
  });

  it.each([
    [[], '--to FOLDER is needed.'],
    [['erasures'], '--to FOLDER is needed.'],
    [['verify', '--to', 'f'], '--from FOLDER is needed.'],
    [['--to', ''], '--to FOLDER is needed.'],
    [['take', '--to', 'f'], 'Unknown word "take"'],
    [['verify', 'f', '--from', 'f'], 'Unknown word "f"'],
  ])('refuses %j and shows what it takes', (words, sentence) => {
    expect(() => backupCommand(words)).toThrow(new BackupRefused(`${sentence}\n\n${BACKUP_USAGE}`));
  });

  it('refuses an option that it does not know', () => {
    expect(() => backupCommand(['--too', 'f'])).toThrow(/^Unknown option '--too'[^]*npm run backup/);
  });
});

describe('npm run restore', () => {
  it('puts a backup into a stack and starts it, unless told otherwise', () => {
    expect(restoreCommand(['--from', 'f'])).toEqual({
      stack: 'dev',
      portBase: undefined,
      from: 'f',
      keys: undefined,
      erasures: [],
      start: true,
    });
    const all = ['--from', 'f', '--stack', 's', '--port-base', '31000', '--keys', 'k', '--no-start'];
    expect(restoreCommand([...all, '--erasures', 'a', '--erasures', 'b'])).toEqual({
      stack: 's',
      portBase: 31_000,
      from: 'f',
      keys: 'k',
      erasures: ['a', 'b'],
      start: false,
    });
    expect(restoreCommand(['--help'])).toBe('help');
  });

  it.each([
    [[], `--from FOLDER is needed.\n\n${RESTORE_USAGE}`],
    [['now', '--from', 'f'], `Unknown word "now"\n\n${RESTORE_USAGE}`],
    [['--from', 'f', '--port-base', '1023'], '--port-base must be a number from 1024 to 65235, not "1023"'],
    [['--from', 'f', '--port-base', '65236'], '--port-base must be a number from 1024 to 65235, not "65236"'],
    [['--from', 'f', '--port-base', 'x'], '--port-base must be a number from 1024 to 65235, not "x"'],
  ])('refuses %j', (words, sentence) => {
    expect(() => restoreCommand(words)).toThrow(new BackupRefused(sentence));
  });
});

describe('the page of the runbook', () => {
  const commands = [...readFileSync(PAGE, 'utf8').matchAll(/^```sh\n([^]*?)^```/gm)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.replace(/ {2,}#.*$/, '').trim())
    .filter((line) => line !== '');

  it('has commands that the programs take, one for each thing to do', () => {
    const taken = commands.flatMap((line) => {
      const [, script, rest = ''] = /^npm run (backup|restore) -- (.*)$/.exec(line) ?? [];
      const words = rest.split(/\s+/);
      if (script === 'backup') return `backup ${backupCommand(words).kind}`;
      if (script !== 'restore') return [];
      const command = restoreCommand(words);
      return command === 'help' ? 'restore help' : `restore ${command.start ? 'and start' : 'only'}`;
    });
    expect([...new Set(taken)].sort()).toEqual([
      ...['backup erasures', 'backup take', 'backup verify', 'restore and start', 'restore only'],
    ]);
  });

  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(PAGE, '../../../package.json'), 'utf8')) as {
      scripts: object;
    };
    const named = commands.map((line) => /^npm run ([a-z:]+)/.exec(line)?.[1] ?? line);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(named).toContain('drill:restore');
  });
});
