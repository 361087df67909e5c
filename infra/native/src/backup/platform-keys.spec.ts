import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprintsOf, placeKeys, saveKeys } from './platform-keys';

describe('the keys that no backup holds', () => {
  let folder: string;
  const secrets = (): string => join(folder, 'secrets');
  const elsewhere = (): string => join(folder, 'safe', 'keys');
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
    mkdirSync(secrets());
    for (const name of ['kms-master-key', 'suppression-key', 'audit-key', 'postgres.admin'])
      writeFileSync(join(secrets(), name), `${name} one\n`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('have fingerprints, which differ when the keys do and say nothing of them', () => {
    const before = fingerprintsOf(secrets());
    expect(Object.keys(before)).toEqual(['kms-master-key', 'suppression-key', 'audit-key']);
    for (const fingerprint of Object.values(before)) expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    writeFileSync(join(secrets(), 'audit-key'), 'audit-key one');
    expect(fingerprintsOf(secrets())).toEqual(before);
    writeFileSync(join(secrets(), 'audit-key'), 'audit-key two');
    expect(fingerprintsOf(secrets())['audit-key']).not.toBe(before['audit-key']);
  });

  it('are copied elsewhere, for their owner alone', () => {
    saveKeys(secrets(), elsewhere(), join(folder, 'backups', 'one'));
    expect(readdirSync(elsewhere()).sort()).toEqual(['audit-key', 'kms-master-key', 'suppression-key']);
    expect(statSync(join(elsewhere(), 'audit-key')).mode & 0o777).toBe(0o600);
    expect(fingerprintsOf(elsewhere())).toEqual(fingerprintsOf(secrets()));
  });

  it.each([
    ['the backup itself', 'backups/one', 'backups/one'],
    ['a folder in it', 'backups/one/keys', 'backups/one'],
    ['a folder around it', 'backups', 'backups/one'],
  ])('are refused a place in %s', (_where, keys, backup) => {
    expect(() => saveKeys(secrets(), join(folder, keys), join(folder, backup))).toThrow(
      /^The keys must not lie with the backup/,
    );
  });

  it('may lie beside it under a name that begins alike', () => {
    saveKeys(secrets(), join(folder, 'backups/one-keys'), join(folder, 'backups/one'));
    expect(readdirSync(join(folder, 'backups/one-keys'))).toHaveLength(3);
  });

  it('are put into a new stack; one that has its own is left as it is and refused', () => {
    const wanted = fingerprintsOf(secrets());
    saveKeys(secrets(), elsewhere(), join(folder, 'b'));
    const fresh = join(folder, 'fresh');
    expect(() => placeKeys(fresh, undefined, wanted)).toThrow(
      'The key "kms-master-key" is not there: say where the keys of this backup are (--keys FOLDER).',
    );
    placeKeys(fresh, elsewhere(), wanted);
    expect(fingerprintsOf(fresh)).toEqual(wanted);
    expect(statSync(join(fresh, 'kms-master-key')).mode & 0o777).toBe(0o600);
    expect(statSync(fresh).mode & 0o777).toBe(0o700);
    writeFileSync(join(fresh, 'suppression-key'), 'another');
    expect(() => placeKeys(fresh, elsewhere(), wanted)).toThrow(
      /^The key "suppression-key" in .*fresh is not the one that this backup was made with\./,
    );
    expect(readFileSync(join(fresh, 'suppression-key'), 'utf8')).toBe('another');
  });
});
