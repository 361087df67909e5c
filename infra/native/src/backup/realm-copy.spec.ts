import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importable, readRealm } from './realm-copy';

describe('an exported realm', () => {
  it('is imported without the permissions that an import leaves dead, everything else as it is', () => {
    const realm = {
      realm: 'sociograph',
      adminPermissionsEnabled: true,
      adminPermissionsClient: { clientId: 'admin-permissions' },
      users: [{ username: 'vera', credentials: [{ secretData: '{}' }] }],
      clients: [{ clientId: 'sociograph-demo' }, { clientId: 'admin-permissions' }],
      roles: { realm: [{ name: 'viewer' }], client: { account: [{ name: 'x' }], 'admin-permissions': [] } },
      clientScopeMappings: { account: [1], 'admin-permissions': [2] },
      components: { 'org.keycloak.keys.KeyProvider': [{ name: 'rsa' }] },
    };
    expect(importable(realm)).toEqual({
      realm: 'sociograph',
      users: realm.users,
      clients: [{ clientId: 'sociograph-demo' }],
      roles: { realm: [{ name: 'viewer' }], client: { account: [{ name: 'x' }] } },
      clientScopeMappings: { account: [1] },
      components: realm.components,
    });
    expect(importable({ realm: 'sociograph' })).toEqual({ realm: 'sociograph', clients: [] });
  });

  it('is no other realm', () => {
    const folder = mkdtempSync(join(tmpdir(), 'realm-'));
    const file = join(folder, 'realm.json');
    try {
      writeFileSync(file, '{"realm":"master"}');
      expect(() => readRealm(file)).toThrow(`${file} is no export of the realm sociograph`);
      writeFileSync(file, '{"realm":"sociograph"}');
      expect(readRealm(file)).toEqual({ realm: 'sociograph' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
