import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlainFault } from '../servers/server';
import { type BackupFacts, FORMAT, openBackup, unknownMigrations, writeManifest } from './manifest';

const facts: BackupFacts = {
  stack: 'dev',
  version: '0.1.0',
  startedAt: '2026-11-22T07:00:00.000Z',
  finishedAt: '2026-11-22T07:00:09.000Z',
  holdsUntil: '2026-11-22T07:00:04.000Z',
  migrations: { key_service: ['1_one', '2_two'] },
  topics: { t: [{ partition: 0, low: 1, high: 3 }] },
  groups: { g: { t: { '0': 2 } } },
  graph: { users: 2 },
  realm: true,
  keys: { 'kms-master-key': '0123456789abcdef' },
};

describe('the manifest of a backup', () => {
  let folder: string;
  const file = (name: string): string => join(folder, name);
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'backup-'));
    mkdirSync(file('graph'));
    writeFileSync(file('graph/users.jsonl.gz'), 'people');
    writeFileSync(file('realm.json'), '{}');
    await writeManifest(folder, facts);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const refused = async (): Promise<string> => {
    const error: unknown = await openBackup(folder).then(
      () => undefined,
      (fault: unknown) => fault,
    );
    expect(error).toBeInstanceOf(PlainFault);
    return (error as Error).message;
  };
  const rewrite = (change: (manifest: Record<string, unknown>) => void): void => {
    const manifest = JSON.parse(readFileSync(file('manifest.json'), 'utf8')) as Record<string, unknown>;
    change(manifest);
    writeFileSync(file('manifest.json'), JSON.stringify(manifest));
  };

  it('lists every file, is for its owner alone, and opens a backup that is as it was written', async () => {
    const manifest = await openBackup(folder);
    expect(manifest).toMatchObject({ ...facts, format: 1 });
    expect(manifest.files.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['graph/users.jsonl.gz', 6],
      ['realm.json', 2],
    ]);
    expect(statSync(file('manifest.json')).mode & 0o777).toBe(0o600);
  });

  it('refuses a folder without it', async () => {
    rmSync(file('manifest.json'));
    expect(await refused()).toBe(`${folder} holds no backup: there is no manifest.json in it.`);
  });

  it('refuses a backup of which a file is missing', async () => {
    rmSync(file('graph/users.jsonl.gz'));
    expect(await refused()).toBe(`The backup in ${folder} is not whole: graph/users.jsonl.gz is missing.`);
  });

  it.each(['peoplE', 'people and more', ''])(
    'refuses a backup of which a file has become "%s"',
    async (content) => {
      writeFileSync(file('graph/users.jsonl.gz'), content);
      expect(await refused()).toBe(
        `The backup in ${folder} is damaged: graph/users.jsonl.gz is not what was written.`,
      );
    },
  );

  it('refuses a format that this version does not read', async () => {
    rewrite((manifest) => (manifest['format'] = FORMAT + 1));
    expect(await refused()).toBe(
      `The backup in ${folder} has format 2, this version reads format 1: restore it with the version that made it.`,
    );
  });

  it('refuses a manifest that was changed, or is none', async () => {
    rewrite((manifest) => (manifest['groups'] = { g: { t: { '0': 3 } } }));
    expect(await refused()).toBe(
      `The backup in ${folder} is damaged: its manifest.json is not what was written.`,
    );
    writeFileSync(file('manifest.json'), '{"format":');
    expect(await refused()).toBe(`The backup in ${folder} is damaged: its manifest.json is no JSON.`);
  });

  it('names migrations that a checkout does not have, wherever a service keeps its own', () => {
    const known = ['services/key-service/prisma/migrations/1_one', 'services/x/database/migrations/9_nine'];
    for (const path of known) mkdirSync(file(path), { recursive: true });
    expect(unknownMigrations(facts, folder)).toEqual(['key_service 2_two']);
    expect(unknownMigrations({ migrations: { x: ['9_nine'], key_service: ['1_one'] } }, folder)).toEqual([]);
    expect(unknownMigrations({ migrations: { y: ['1_one'] } }, folder)).toEqual(['y 1_one']);
  });
});
