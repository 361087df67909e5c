import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync, createSign, type KeyObject } from 'node:crypto';

export const ISSUER = 'https://id.example/realms/sociograph';
export const NOW_S = 1_800_000_000;

export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: Record<string, unknown>;
}

export function aSigningKey(kid: string, modulusLength = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return {
    kid,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' },
  };
}

/** Claims as Keycloak writes them for the demo's service account. */
export function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const nowS = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    aud: 'sociograph-api',
    azp: 'sociograph-demo',
    typ: 'Bearer',
    sub: '3f1c2f5e-0000-4000-8000-000000000001',
    iat: nowS,
    exp: nowS + 300,
    workspace_id: 'demo',
    realm_access: { roles: ['analyst', 'viewer', 'offline_access'] },
    ...changes,
  };
}

export function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

export function sign(
  key: SigningKey,
  payload: Record<string, unknown> = claims(),
  header: Record<string, unknown> = {},
): string {
  const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid: key.kid, ...header })}.${encode(payload)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key.privateKey, 'base64url')}`;
}

/** A JWKS endpoint whose keys, status and delay a spec may change; it counts its requests. */
export class JwksServer {
  keys: Record<string, unknown>[] = [];
  status = 200;
  requests = 0;
  private readonly server: Server = createServer((_req, res) => {
    this.requests += 1;
    res
      .writeHead(this.status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ keys: this.keys }));
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/certs`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
