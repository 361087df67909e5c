import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OpenID provider of one spec: tokens with whatever roles, workspace, subject and life (seconds, 600) it wants. */
export interface TokenIssuer {
  issuer: string;
  jwksUrl: string;
  token(claims: {
    roles: readonly string[];
    workspace?: string | undefined;
    subject?: string;
    seconds?: number;
  }): string;
  close(): Promise<void>;
}

/** Signs with a key of its own, which it publishes: services verify its tokens as they verify Keycloak's. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const key = createPrivateKey(pair.privateKey);
  const { n, e } = key.export({ format: 'jwk' });
  const keys = [{ kty: 'RSA', kid: 'spec', use: 'sig', alg: 'RS256', n, e }];
  const server = createServer((_, answer) => answer.end(JSON.stringify({ keys })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/spec`;
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    issuer,
    jwksUrl: `${issuer}/certs`,
    token({ roles, workspace = 'demo', subject = `subject-of-${roles.join('-')}`, seconds = 600 }) {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        ...{ iss: issuer, aud: 'sociograph-api', azp: 'sociograph-demo', typ: 'Bearer', sub: subject },
        ...{ iat: now, exp: now + seconds, realm_access: { roles } },
        ...(workspace !== '' && { workspace_id: workspace }),
      };
      const text = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'spec' })}.${encode(claims)}`;
      return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
