import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A realm of one key: signs tokens and publishes its key, so that the service verifies them as Keycloak's. */
export class SpecRealm {
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #server: Server;

  constructor() {
    const jwk = { ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'spec', use: 'sig', alg: 'RS256' };
    this.#server = createServer((_request, response) => void response.end(JSON.stringify({ keys: [jwk] })));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.close();
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  token(workspaceId: string, roles: string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const head = encode({ alg: 'RS256', typ: 'JWT', kid: 'spec' });
    const claims = encode({
      iss: this.issuer,
      aud: 'sociograph-api',
      azp: 'spec',
      typ: 'Bearer',
      sub: 'someone',
      iat: now,
      exp: now + 300,
      workspace_id: workspaceId,
      realm_access: { roles },
    });
    const signature = createSign('RSA-SHA256')
      .update(`${head}.${claims}`)
      .sign(this.#keys.privateKey, 'base64url');
    return `${head}.${claims}.${signature}`;
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
