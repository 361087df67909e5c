import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RealmAdmin } from '../src/keycloak-realm/realm-admin';
import { driftOf } from '../src/keycloak-realm/realm-drift';
import { differences, readRealmFile } from '../src/keycloak-realm/realm-file';

jest.setTimeout(180_000);

const FILE = readFileSync(join(__dirname, '../../keycloak/realm.json'), 'utf8');
const environment = { DEMO_CLIENT_SECRET: randomBytes(24).toString('hex') };

describe('a realm file', () => {
  const file = readRealmFile(FILE, environment);

  it('gives the password grant, the implicit one and the code to no client', () => {
    for (const client of file.clients) {
      expect(client).toMatchObject({
        directAccessGrantsEnabled: false,
        implicitFlowEnabled: false,
        standardFlowEnabled: false,
      });
    }
  });

  it('has short tokens, refresh tokens for one use, and protection against guessing', () => {
    expect(file.settings).toMatchObject({
      accessTokenLifespan: 300,
      revokeRefreshToken: true,
      refreshTokenMaxReuse: 0,
      bruteForceProtected: true,
      registrationAllowed: false,
      defaultSignatureAlgorithm: 'RS256',
    });
    expect(file.userProfile).toMatchObject({ unmanagedAttributePolicy: 'ADMIN_EDIT' });
    const attributes = (file.userProfile?.['attributes'] ?? []) as { name: string }[];
    expect(attributes.map(({ name }) => name)).not.toContain('workspace_id');
  });

  it('gives people the device flow alone, and services their credentials alone', () => {
    const flows = file.clients.map(({ clientId, publicClient, serviceAccountsEnabled, attributes }) => [
      clientId,
      publicClient,
      serviceAccountsEnabled,
      attributes?.['oauth2.device.authorization.grant.enabled'],
    ]);
    expect(flows).toEqual([
      ['sociograph-demo', false, true, undefined],
      ['sociograph-cli', true, false, 'true'],
      ['admin-cli', true, false, undefined],
    ]);
  });

  it('leaves out a secret whose value is not known', () => {
    expect(file.clients[0]?.secret).toBe(environment.DEMO_CLIENT_SECRET);
    expect(readRealmFile(FILE, {}).clients[0]?.secret).toBeUndefined();
  });

  it.each([
    [{ a: 1, more: 2 }, { a: 1 }, []],
    [{ a: 1 }, { a: 2 }, ['a']],
    [{}, { a: { b: 1 } }, ['a']],
    [{ a: { b: 1, c: 1 } }, { a: { b: 2, c: 1 } }, ['a.b']],
    [{ a: ['y', 'x'] }, { a: ['x', 'y'] }, []],
    [{ a: ['x'] }, { a: ['x', 'y'] }, ['a']],
    [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }, ['a[0].b']],
    [{ a: 1 }, { a: undefined }, []],
    [{ a: false }, { a: null }, ['a']],
  ])('%j differs from %j in %j', (is, should, paths) => {
    expect(differences(is, should)).toEqual(paths);
  });
});

describe('migrating a realm of a real Keycloak', () => {
  const { KEYCLOAK_URL, KEYCLOAK_ADMIN_CLIENT_ID, KEYCLOAK_ADMIN_CLIENT_SECRET } = process.env;
  const account = {
    keycloakUrl: KEYCLOAK_URL ?? '',
    clientId: KEYCLOAK_ADMIN_CLIENT_ID ?? '',
    clientSecret: KEYCLOAK_ADMIN_CLIENT_SECRET ?? '',
  };
  const realm = `spec-${randomBytes(5).toString('hex')}`;
  const admin = new RealmAdmin(account, realm);
  const file = readRealmFile(FILE, environment);
  const sentences = async (): Promise<string[]> =>
    (await driftOf(admin, file)).map(({ sentence }) => sentence);
  const applyAll = async (): Promise<void> => {
    for (const { apply } of await driftOf(admin, file)) await apply();
  };

  beforeAll(async () => {
    // Bare: nothing of the file is there yet.
    await new RealmAdmin(account, '').change('POST', '', { realm, enabled: true });
  });
  afterAll(() => admin.change('DELETE', ''));

  it('makes a bare realm what the file says, repeats without effect, finds and mends planted changes', async () => {
    expect(await sentences()).toEqual(
      expect.arrayContaining(['role viewer is missing', 'client sociograph-demo is missing']),
    );
    await applyAll();
    // The account of the demo's client came with the client.
    await applyAll();
    expect(await sentences()).toEqual([]);

    const [demo] = await admin.get<{ id: string }[]>('/clients?clientId=sociograph-demo');
    const [user] = await admin.get<{ id: string }[]>(
      '/users?exact=true&username=service-account-sociograph-demo',
    );
    const id = demo?.id ?? '';
    await admin.change('PUT', '', { accessTokenLifespan: 86_400 });
    await admin.change('PUT', `/clients/${id}`, {
      ...(await admin.get<object>(`/clients/${id}`)),
      directAccessGrantsEnabled: true,
    });
    await admin.change('POST', `/clients/${id}/protocol-mappers/models`, {
      name: 'wider',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-hardcoded-claim-mapper',
      config: { 'claim.name': 'workspace_id', 'claim.value': 'other', 'access.token.claim': 'true' },
    });
    await admin.change('POST', `/users/${user?.id}/role-mappings/realm`, [
      await admin.get('/roles/platform-operator'),
    ]);
    await admin.change('PUT', '/users/profile', {
      ...(await admin.get<object>('/users/profile')),
      unmanagedAttributePolicy: 'ENABLED',
    });
    const planted = [
      "the realm's accessTokenLifespan",
      "the user profile's unmanagedAttributePolicy",
      'client sociograph-demo: directAccessGrantsEnabled',
      'client sociograph-demo has the mapper wider, which the file does not know',
      'account service-account-sociograph-demo has the role platform-operator',
    ];
    expect(await sentences()).toEqual(planted);

    // The command itself: says it (exit 1), mends it (exit 0), and has nothing more to say.
    expect(await command(['--check'])).toEqual([1, planted]);
    expect((await command([]))[0]).toBe(0);
    expect(await command(['--check'])).toEqual([0, [`realm ${realm} is as its file says`]]);
  });

  function command(args: string[]): Promise<[number | null, string[]]> {
    const program = join(__dirname, '../dist/keycloak-realm/main.js');
    const child = spawn(process.execPath, [program, ...args], {
      env: { ...process.env, ...environment, KEYCLOAK_REALM: realm },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return new Promise((resolve) => child.on('close', (code) => resolve([code, output.trim().split('\n')])));
  }
});
