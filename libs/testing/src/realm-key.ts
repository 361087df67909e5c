import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface RealmAdministration {
  /** `http://host:port` of Keycloak. */
  keycloakUrl: string;
  realm: string;
  /** Gives a token of an administrator; they live for a minute. */
  adminToken: () => Promise<string>;
}

/** A signing key of a realm whose private half the spec has: it can make any token that the realm could. */
export interface RealmKey {
  /** The id under which Keycloak publishes it. */
  kid: string;
  privateKey: KeyObject;
  publicPem: string;
  remove(): Promise<void>;
}

/**
 * Adds a PASSIVE RSA key to a realm: published and trusted, but Keycloak itself goes on signing with its own. Throws
 * when the key is not published.
 */
export async function addRealmKey(where: RealmAdministration): Promise<RealmKey> {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const admin = `${where.keycloakUrl}/admin/realms/${where.realm}`;
  const authorized = async (): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await where.adminToken()}`,
    'content-type': 'application/json',
  });
  const headers = await authorized();
  const { id: parentId } = (await ok(await fetch(admin, { headers })).json()) as { id: string };
  const created = ok(
    await fetch(`${admin}/components`, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        name: `spec-${Date.now()}`,
        parentId,
        providerId: 'rsa',
        providerType: 'org.keycloak.keys.KeyProvider',
        config: {
          priority: ['-100'],
          enabled: ['true'],
          active: ['false'],
          algorithm: ['RS256'],
          privateKey: [pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
        },
      }),
    }),
  );
  const component = created.headers.get('location');
  const { n } = createPublicKey(pair.privateKey).export({ format: 'jwk' });
  const certs = `${where.keycloakUrl}/realms/${where.realm}/protocol/openid-connect/certs`;
  const { keys } = (await ok(await fetch(certs)).json()) as { keys: { kid: string; n?: string }[] };
  const kid = keys.find((key) => key.n === n)?.kid;
  if (kid === undefined || component === null) throw new Error('Keycloak does not publish the added key');
  return {
    kid,
    privateKey: pair.privateKey,
    publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    remove: async () => void ok(await fetch(component, { method: 'DELETE', headers: await authorized() })),
  };
}

function ok(answer: Response): Response {
  if (!answer.ok) throw new Error(`Keycloak answered ${answer.status} to ${answer.url}`);
  return answer;
}
